"""What other rooms and pages ask about runners, approvals and what waits."""
