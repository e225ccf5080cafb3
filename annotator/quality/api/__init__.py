"""The quality page over HTTP: figures, where they come from, and the tasks behind them."""
