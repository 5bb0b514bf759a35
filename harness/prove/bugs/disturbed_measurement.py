"""Faults of the measurement itself: the verdict must not pass, and says which part cannot be trusted."""

from harness.model.proof import Place
from harness.prove import damages
from harness.prove.bugs.red import NEVER_PASS, PASS, UNKNOWN, doubts
from harness.prove.damages import InTheRecording
from harness.prove.demand import Ends, Refuses, SafetyIs, Says
from harness.prove.disturbances import LOAD_WORKER, PUBLISHER, Dies, ForeignLoad, From, Stops
from harness.prove.planted_bug import PlantedBug

STEADY = (
    *("--size", "smoke", "--servers", "2", "--clients", "40", "--audience", "8"),
    *("--rate", "60", "--duration", "18"),
)
SHORT = (*STEADY[:-1], "5")
OUTAGE = ("--size", "smoke", "--rate", "100", "--duration", "12", "--outage", "4")
USAGE = 2
NOT_PASSED = Ends(status=NEVER_PASS)
NOTHING_LOST = SafetyIs(red=frozenset())
RATIO_OPEN = Says(check="ack-during-outage", status=NEVER_PASS)


BUGS = (
    PlantedBug(
        name="worker-starved",
        place=Place.MEASUREMENT,
        planted="the load workers run only a quarter of the time, in pieces of 50 ms",
        trial=Stops(module=LOAD_WORKER, frozen_s=0.15, every_s=0.2, arguments=SHORT),
        demands=(*doubts("loop-lag"), NOTHING_LOST),
        alone=True,
    ),
    PlantedBug(
        name="worker-frozen",
        place=Place.MEASUREMENT,
        planted="the load workers are stopped for 500 ms every 6 s",
        trial=Stops(module=LOAD_WORKER, frozen_s=0.5, every_s=6, arguments=STEADY),
        demands=(*doubts("loop-lag"), NOTHING_LOST),
        alone=True,
    ),
    PlantedBug(
        name="sender-behind",
        place=Place.MEASUREMENT,
        planted="the sender is stopped for 200 ms in every second, and posts late",
        trial=Stops(module=PUBLISHER, frozen_s=0.2, every_s=1, arguments=SHORT),
        demands=(*doubts("send-lateness"), NOTHING_LOST),
        alone=True,
    ),
    PlantedBug(
        name="worker-dies",
        place=Place.MEASUREMENT,
        planted="a load worker is killed during the run",
        trial=Dies(module=LOAD_WORKER, arguments=SHORT),
        demands=doubts("completeness"),
    ),
    PlantedBug(
        name="foreign-load-before",
        place=Place.MEASUREMENT,
        planted="other programs use two cores before the outage, with which the outage is compared",
        trial=ForeignLoad(begins=From.MEASURE, ends=From.FAULT, scenario="scenario-b", arguments=OUTAGE),
        demands=(Says(check="foreign-cpu", status=UNKNOWN), NOT_PASSED, RATIO_OPEN, NOTHING_LOST),
        alone=True,
    ),
    PlantedBug(
        name="foreign-load-during",
        place=Place.MEASUREMENT,
        planted="other programs use two cores during the outage",
        trial=ForeignLoad(begins=From.FAULT, ends=From.HEALED, scenario="scenario-b", arguments=OUTAGE),
        demands=(*doubts("foreign-cpu", "ack-during-outage"), NOTHING_LOST),
        alone=True,
    ),
    PlantedBug(
        name="foreign-load-after",
        place=Place.MEASUREMENT,
        planted="other programs use two cores after the outage",
        trial=ForeignLoad(begins=From.HEALED, ends=From.DRAIN, scenario="scenario-b", arguments=OUTAGE),
        demands=(*doubts("foreign-cpu"), NOTHING_LOST),
        alone=True,
    ),
    PlantedBug(
        name="recording-cut-short",
        place=Place.RECORDING,
        planted="the file of deliveries ends in the middle",
        trial=InTheRecording(damage=damages.cut_short, before_seal=False),
        demands=(Refuses(exit_code=USAGE),),
        quick=True,
    ),
    PlantedBug(
        name="recording-without-end",
        place=Place.RECORDING,
        planted="the events end in the measured window",
        trial=InTheRecording(damage=damages.without_end),
        demands=(*doubts("completeness"), NOTHING_LOST),
        quick=True,
    ),
    PlantedBug(
        name="worker-without-rows",
        place=Place.RECORDING,
        planted="a load worker left no rows",
        trial=InTheRecording(damage=damages.without_worker),
        demands=(*doubts("complete-rows"), NOTHING_LOST),
        quick=True,
    ),
    PlantedBug(
        name="delivery-rows-missing",
        place=Place.RECORDING,
        planted=f"{damages.LOST_ROWS} rows in the middle of the deliveries are missing",
        trial=InTheRecording(damage=damages.without_deliveries),
        demands=(*doubts("complete-rows"), NOTHING_LOST),
        quick=True,
    ),
    PlantedBug(
        name="texts-missing",
        place=Place.RECORDING,
        planted=f"the last {damages.LOST_ROWS} texts are missing",
        trial=InTheRecording(damage=damages.without_frames),
        demands=(*doubts("complete-rows"), NOTHING_LOST),
    ),
    PlantedBug(
        name="ledger-rows-missing",
        place=Place.RECORDING,
        planted=f"the last {damages.LOST_ROWS} rows of the ledger are missing",
        trial=InTheRecording(damage=damages.without_posts),
        demands=(*doubts("ledger", "lost", "latency_ms.p99"), NOTHING_LOST),
    ),
    PlantedBug(
        name="heartbeats-missing",
        place=Place.RECORDING,
        planted="no heartbeat shows whether the load workers kept up",
        trial=InTheRecording(damage=damages.without_heartbeats),
        demands=doubts("loop-lag"),
    ),
    PlantedBug(
        name="telemetry-missing",
        place=Place.RECORDING,
        planted="no telemetry shows the load of the machine",
        trial=InTheRecording(damage=damages.without_telemetry),
        demands=doubts("gaps", "foreign-cpu", "generator-cpu"),
    ),
    PlantedBug(
        name="clock-steps-back",
        place=Place.RECORDING,
        planted="the load worker's clock steps back by 300 ms during the run",
        trial=InTheRecording(damage=damages.clock_steps_back),
        demands=doubts("clock"),
        quick=True,
    ),
    PlantedBug(
        name="clock-steps-forward",
        place=Place.RECORDING,
        planted="the load worker's clock steps forward by 300 ms during the run",
        trial=InTheRecording(damage=damages.clock_steps_forward),
        demands=doubts("loop-lag", "latency_ms.p99"),
    ),
    PlantedBug(
        name="clock-unknown",
        place=Place.RECORDING,
        planted="the load worker ran on another host, and its clock was not compared",
        trial=InTheRecording(damage=damages.unknown_clock),
        demands=doubts("clock"),
        quick=True,
    ),
    PlantedBug(
        name="server-clock-ahead",
        place=Place.RECORDING,
        planted="one server's clock is 50 ms ahead, but clocks.json says that it is the harness's",
        trial=InTheRecording(damage=damages.server_clock_ahead),
        demands=(*doubts("server-clocks"), NOTHING_LOST),
    ),
    PlantedBug(
        name="clock-known",
        place=Place.NOWHERE,
        planted="the load worker ran on another host, 30 s ahead, and the offset is known to 0.1 ms",
        trial=InTheRecording(damage=damages.second_clock, is_bug=False),
        demands=(Says(check="clock", status=PASS), Says(check="lost", status=PASS), NOTHING_LOST),
    ),
    PlantedBug(
        name="disk-stalls",
        place=Place.RECORDING,
        planted="the disk lets writes wait, and one message in 20 is 150 ms late",
        trial=InTheRecording(damage=damages.disk_stalls),
        demands=(*doubts("disk", "latency_ms.p99"), NOTHING_LOST),
        quick=True,
    ),
)
