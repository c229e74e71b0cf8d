//! What is remembered; where the two planes meet.
