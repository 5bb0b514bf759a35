"""From the backplane to the sockets: the order of each channel, its subscribers, and the writes to them."""
