"""The contract of docs/protocol.md as values: requests of clients, events and answers of the server, limits."""
