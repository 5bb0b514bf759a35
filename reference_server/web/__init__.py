"""The routes of the server, and the changes to uvicorn that they need."""
