"""`harness prove`: runs planted bugs and controls through the real harness, and compares each verdict with the expected
one."""
