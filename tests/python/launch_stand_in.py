"""A strict stand-in for the parts of `launch` and `launch_ros` that our launch files use.

Neither has a wheel. This one resolves a launch description into plain commands and refuses what the real ones would
only trip over at run time, or not at all: unknown packages, executables, parameters, arguments and keyword arguments,
and values of a wrong type.
"""

import os
import sys
import types

import yaml


class Refused(Exception):
    """The launch file uses something that does not exist."""


class Context:
    """What substitutions are resolved against: the share folders of the packages and the launch arguments."""

    def __init__(self, shares, executables, table, given):
        self.shares = shares
        self.executables = executables
        self.table = table
        self.given = dict(given)
        self.arguments = {}
        self.environment = {}
        self.nodes = []

    def resolve(self, value):
        if isinstance(value, str):
            return value
        if isinstance(value, (list, tuple)):
            return "".join(self.resolve(part) for part in value)
        if isinstance(value, Substitution):
            return value.perform(self)
        raise Refused(f"expected text or a substitution, found {value!r}")


class Substitution:
    pass


class LaunchConfiguration(Substitution):
    def __init__(self, variable_name):
        self.name = variable_name

    def perform(self, context):
        if self.name not in context.arguments:
            raise Refused(f"launch argument {self.name!r} is used but not declared before")
        return context.arguments[self.name]


class PathJoinSubstitution(Substitution):
    def __init__(self, substitutions):
        self.parts = substitutions

    def perform(self, context):
        return os.path.join(*[context.resolve(part) for part in self.parts])


class FindPackageShare(Substitution):
    def __init__(self, package):
        self.package = package

    def perform(self, context):
        if self.package not in context.shares:
            raise Refused(f"unknown package {self.package!r}")
        return context.shares[self.package]


class DeclareLaunchArgument:
    def __init__(self, name, *, default_value=None, description=None, choices=None):
        self.name, self.default, self.description, self.choices = name, default_value, description, choices

    def visit(self, context):
        if not self.description:
            raise Refused(f"launch argument {self.name!r} has no description")
        if self.name in context.arguments:
            raise Refused(f"launch argument {self.name!r} is declared twice")
        value = context.given.pop(self.name, self.default)
        if value is None:
            raise Refused(f"launch argument {self.name!r} has no value")
        value = context.resolve(value)
        if self.choices and value not in self.choices:
            raise Refused(f"launch argument {self.name!r}: expected one of {self.choices}, found {value!r}")
        context.arguments[self.name] = value


class SetEnvironmentVariable:
    def __init__(self, name, value):
        self.name, self.value = name, value

    def visit(self, context):
        context.environment[context.resolve(self.name)] = context.resolve(self.value)


class ParameterValue:
    def __init__(self, value, *, value_type=None):
        self.value, self.value_type = value, value_type

    def evaluate(self, context):
        if not isinstance(self.value, Substitution):
            return self.value
        text = context.resolve(self.value)
        if self.value_type is str:
            return text
        value = yaml.safe_load(text)
        if self.value_type is float and isinstance(value, int) and not isinstance(value, bool):
            value = float(value)
        if self.value_type is not None and type(value) is not self.value_type:
            raise Refused(f"expected {self.value_type.__name__}, found {text!r}")
        return value


class IfCondition:
    def __init__(self, predicate_expression):
        self.predicate = predicate_expression

    def evaluate(self, context):
        return truth(context.resolve(self.predicate))


def truth(text):
    if text.lower() not in ("true", "1", "false", "0"):
        raise Refused(f"expected true or false, found {text!r}")
    return text.lower() in ("true", "1")


class Node:
    def __init__(self, *, package, executable, name=None, namespace=None, parameters=None, remappings=None,
                 output=None, arguments=None, respawn=False, respawn_delay=None, respawn_max_retries=-1,
                 emulate_tty=False, additional_env=None, sigterm_timeout="5", sigkill_timeout="5", condition=None):
        self.condition = condition
        self.respawn, self.respawn_delay = respawn, respawn_delay
        if respawn_delay is not None and not isinstance(respawn_delay, float):
            raise Refused(f"respawn_delay: expected a float, found {respawn_delay!r}")
        for timeout in (sigterm_timeout, sigkill_timeout):
            if not isinstance(timeout, (str, Substitution)):
                raise Refused(f"sigterm_timeout, sigkill_timeout: expected text, found {timeout!r}")
        self.package, self.executable, self.name, self.namespace = package, executable, name, namespace
        self.parameters, self.remappings, self.output = parameters or [], remappings or [], output

    def visit(self, context):
        package, executable = context.resolve(self.package), context.resolve(self.executable)
        if executable not in context.executables.get(package, ()):
            raise Refused(f"unknown executable {package}/{executable}")
        if self.output not in (None, "screen", "log", "both"):
            raise Refused(f"{executable}: unknown output {self.output!r}")
        values = {}
        for source in self.parameters:
            if isinstance(source, dict):
                found = {
                    key: value.evaluate(context) if isinstance(value, ParameterValue) else
                    yaml.safe_load(context.resolve(value)) if isinstance(value, Substitution) else value
                    for key, value in source.items()
                }
            else:
                found = read_parameter_file(context.resolve(source), executable)
            values.update(found)
        check_parameters(executable, values, context.table)
        # Checked above though it may not be started.
        if self.condition and not self.condition.evaluate(context):
            return
        context.nodes.append({
            "package": package,
            "executable": executable,
            "name": context.resolve(self.name or executable),
            "namespace": context.resolve(self.namespace or ""),
            "parameters": values,
            "remappings": {context.resolve(name): context.resolve(to) for name, to in self.remappings},
            "environment": dict(context.environment),
            "respawn": self.respawn if isinstance(self.respawn, bool) else truth(context.resolve(self.respawn)),
            "respawn_delay": self.respawn_delay,
        })


class LaunchDescription:
    def __init__(self, initial_entities=None):
        self.entities = initial_entities or []


def read_parameter_file(path, node):
    """The parameters that a ROS parameter file gives to a node, whatever its namespace."""
    if not os.path.isfile(path):
        raise Refused(f"no parameter file {path}")
    with open(path, encoding="utf-8") as file:
        tree = yaml.safe_load(file)
    values = {}
    for key, section in tree.items():
        if key not in ("/**", node, f"/**/{node}"):
            raise Refused(f"{path}: section {key!r} does not match {node!r}")
        if set(section) != {"ros__parameters"}:
            raise Refused(f"{path}: expected ros__parameters in {key!r}, found {sorted(section)}")
        values.update(section["ros__parameters"])
    return values


PYTHON_TYPES = {"string": str, "int": int, "double": float, "bool": bool}


def check_parameters(node, values, table):
    """Refuses parameters that the table does not know, and values of another type than the table's."""
    for key, value in values.items():
        if key not in table.get(node, {}):
            raise Refused(f"unknown parameter {node}.{key}")
        expected = table[node][key]["type"]
        if type(value) is not PYTHON_TYPES[expected]:
            raise Refused(f"{node}.{key}: expected {expected}, found {value!r}")


def install():
    """Puts the stand-in where `import launch` and `import launch_ros` find it."""
    contents = {
        "launch": {"LaunchDescription": LaunchDescription},
        "launch.actions": {
            "DeclareLaunchArgument": DeclareLaunchArgument,
            "SetEnvironmentVariable": SetEnvironmentVariable,
        },
        "launch.conditions": {"IfCondition": IfCondition},
        "launch.substitutions": {
            "LaunchConfiguration": LaunchConfiguration,
            "PathJoinSubstitution": PathJoinSubstitution,
        },
        "launch_ros": {},
        "launch_ros.actions": {"Node": Node},
        "launch_ros.parameter_descriptions": {"ParameterValue": ParameterValue},
        "launch_ros.substitutions": {"FindPackageShare": FindPackageShare},
    }
    for name, members in contents.items():
        module = types.ModuleType(name)
        module.__dict__.update(members)
        sys.modules[name] = module


def launch(path, context):
    """Resolves a launch file; returns its nodes in order."""
    namespace = {"__name__": "launch_file", "__file__": path}
    with open(path, encoding="utf-8") as file:
        exec(compile(file.read(), path, "exec"), namespace)
    for entity in namespace["generate_launch_description"]().entities:
        if not hasattr(entity, "visit"):
            raise Refused(f"not an action: {entity!r}")
        entity.visit(context)
    if context.given:
        raise Refused(f"unknown launch arguments {sorted(context.given)}")
    return context.nodes
