"""A real highly available Kubernetes cluster in namespaces of this machine.

``plan``, ``bundle``, ``files`` and ``spec`` are pure: from a :class:`~.spec.LabSpec` and the
facts of the host they derive names, addresses, files and commands. Everything else is thin and
carries that plan out. Nothing outside this package and ``cli`` knows the lab: the harness reaches
its machines by SSH, exactly as it reaches a user's own.
"""
