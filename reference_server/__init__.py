"""The system under test: one server of a broadcast service. One process holds the API and the WebSocket gateway.

A message passes web.posting → write_path → message_log (committed) → backplane → gateway → sockets. Recovery reads from
the message log what the backplane did not bring. docs/protocol.md is the contract; nothing here imports from the
harness.
"""
