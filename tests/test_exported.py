"""The public names."""

import pkgutil

import jido_jupyter


def test_public_names() -> None:
    """What is promised can be imported from the package, and stays there."""
    assert sorted(jido_jupyter.__all__) == sorted(
        [
            "JidoError",
            "Panel",
            "Session",
            "__version__",
            "connect",
            "current",
            "new",
            "resume",
            "sessions",
            "watch",
            "wrap",
        ]
    )
    for name in jido_jupyter.__all__:
        assert callable(getattr(jido_jupyter, name)) or name == "__version__"


def test_no_module_hides_a_name() -> None:
    """Importing a module sets it as an attribute of the package; none may be called like a public name."""
    modules = {module.name for module in pkgutil.iter_modules(jido_jupyter.__path__)}

    assert modules.isdisjoint(jido_jupyter.__all__)
