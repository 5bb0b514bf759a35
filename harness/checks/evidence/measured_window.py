"""When the measured window of a run was."""

from harness.recording.reader import Recording


def measured_window(recording: Recording) -> tuple[int, int]:
    """(begin, end) in ns on the harness's clock; (0, 0) if the schedule never began. The window of a run that ended
    early ends at the last post that was sent."""
    event = recording.event("schedule")
    if event is None or not event["start_ns"]:
        return 0, 0
    begin_ns = int(event["start_ns"]) + int(recording.plan.warm_up_s * 1e9)
    end_ns = begin_ns + int(recording.plan.duration_s * 1e9)
    ended = recording.event("ended") or {}
    if ended.get("how") != "complete" and len(recording.posts):
        end_ns = max(begin_ns, min(end_ns, int(recording.posts["sent_ns"].max())))
    return begin_ns, end_ns
