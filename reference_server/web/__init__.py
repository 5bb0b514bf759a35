"""The routes of the server, and what it changes in uvicorn to serve them."""
