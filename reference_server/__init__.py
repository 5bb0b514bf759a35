"""The system under test: one server of a chat-like broadcast service, API and WebSocket gateway in one process.

A message goes posting → write_path → store (PostgreSQL, committed) → backplane → gateway → channel → fan_out → sockets.
Whatever the backplane does not bring, catch_up reads from the store. docs/protocol.md is the contract; nothing here
imports from the harness.
"""
