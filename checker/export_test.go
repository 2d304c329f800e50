package checker

// PlainPorcupine is the oracle of the damage tests.
var PlainPorcupine = plainPorcupine
