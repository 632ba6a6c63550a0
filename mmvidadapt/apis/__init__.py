"""What the tools do, as functions; import the module that you need."""
