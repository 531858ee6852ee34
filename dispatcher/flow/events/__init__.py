"""What happens to events: accepting, concluding, explaining."""
