"""What a definition must make sense of beside its shape: one module for each subject."""
