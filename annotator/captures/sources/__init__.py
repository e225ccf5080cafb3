"""Where photos come from. Each source gives files to take in, one after the other, in an order that
does not change, so that a job can go on where it stopped."""
