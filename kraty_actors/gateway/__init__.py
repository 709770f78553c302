"""Who talks: listeners, connections, the views that people watch, and the translation between wire and rules."""
