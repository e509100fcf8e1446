"""The tensor-train format: trains, operators, their construction, arithmetic and rounding."""
