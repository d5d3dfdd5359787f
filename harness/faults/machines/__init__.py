"""What faults of whole machines share."""
