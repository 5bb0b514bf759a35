"""The words of the report, and the files of a recording. Each word has one meaning in the whole project."""

WORDS = (
    ("server", "One instance of the service: API and WebSocket gateway in one process."),
    ("channel", "The topic that clients subscribe to and messages are posted to."),
    ("audience", "How many clients are subscribed to one channel."),
    (
        "message",
        "What is posted once; identified by channel and seq, which counts 1, 2, 3 … without a gap in each channel.",
    ),
    ("delivery", "One message arriving at one client: messages × audience."),
    ("intended time", "When the plan says a message is to be posted."),
    ("delivery latency", "From the intended time to the receipt by one client."),
    ("completion latency", "From the intended time to the receipt by the last client of the audience."),
    (
        "write path",
        "When a message is committed to the database: db-first (before it is published) or broker-first (after).",
    ),
    ("backplane", "What carries a message from the server that accepted it to all other servers."),
    ("indeterminate", "A post whose answer never came: the message may be stored or not, either is right."),
    ("fault", "What the scenario breaks on purpose: a part is stopped, killed, frozen or cut off from the network."),
    ("outage", "From the beginning of a fault until the part answers again. Shaded in the figures."),
    ("live", "A delivery that came the usual way, over the backplane."),
    ("recovered", "A delivery that a server filled in from the database, because the backplane did not bring it."),
    ("backfill", "A server reads what its clients miss from the database and sends it, by itself or on request."),
    (
        "duplicate on the wire",
        "A message that a client received again. The client drops it by channel and seq, so it does not show it twice.",
    ),
    ("phantom", "A delivery without a post: its message is unknown, altered, or in the wrong channel."),
    ("P99", "99 % of the samples are at or below it. Exact, from every single sample; percentiles are never averaged."),
    ("PASS, UNKNOWN, FAIL", "The verdict is the worst finding, in this order. UNKNOWN: the evidence does not decide."),
    ("recording", "Everything the run saw, on disk. Verdict and report are made from it alone."),
)
FILES = (
    ("plan.json", "Everything that decided the run."),
    ("machine.json", "The machine, its limits, versions, settings of the database and the broker."),
    ("clocks.json", "The clock of each host, compared with the harness’s clock."),
    ("events.jsonl", "What happened when."),
    ("telemetry.jsonl", "One sample per second of the machine, the processes, the broker and the database."),
    ("seal.json", "Size and checksum of each file that the verdict is made from."),
    ("arrays/", "The ledger, every delivery, the servers’ traces, the audit, as NumPy files."),
    ("logs/", "What each process wrote."),
    ("verdict.json, series.json", "The verdict and the curves, as figures."),
    ("plots/", "The figures of this report, as SVG and PNG."),
    ("tables/", "The raw tables of this report, as CSV."),
)
