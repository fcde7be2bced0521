"""Does an architecture keep the contract of the zoo: tried on phantoms, answered in sentences."""
