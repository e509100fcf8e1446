"""Linear systems in tensor-train form: ALS, two-site DMRG and AMEn."""
