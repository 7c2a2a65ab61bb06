"""What a champion sees, does and bears, as numbers: the analyses that figures and the report are drawn from."""
