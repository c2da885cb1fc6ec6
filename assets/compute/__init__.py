"""ComputePlan and Task: which function runs where, on which inputs, who may use each output."""
