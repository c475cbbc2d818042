//! Which chat templates are run: those whose work and text are bounded.
//!
//! A template is a program that comes with the model. Its steps are counted while it runs and its text is measured as it is
//! written, but a template may also build text that it never writes: forty times `x = x ~ x` is a terabyte. So what a
//! template keeps, in a variable, a loop or an argument, must not be longer than what it was made of; joining is for what
//! is written out. Templates of Qwen2.5-VL need no more.

use minijinja::machinery::ast::{BinOpKind, Call, CallArg, CallType, Expr, Filter, Stmt};
use minijinja::machinery::{Token, WhitespaceConfig, parse, tokenize};
use minijinja::{ErrorKind, Value};

use crate::error::{ProcessorError, Result};

/// Most bytes of a template.
pub(crate) const MOST_BYTES: u64 = 64 << 10;
/// Most texts that one expression joins.
const MOST_JOINS: usize = 64;
/// Most words of one expression, and most `elif` of a template: what is behind each is parsed one level deeper.
const MOST_DEEP: usize = 256;
/// Most numbers of a range: one step may go through all of them, as `x in range(1000)` does.
const MOST_RANGE: i128 = 1000;
/// Functions, and methods of dictionaries, that a template may call.
const FUNCTIONS: [&str; 3] = ["raise_exception", "namespace", "range"];
const METHODS: [&str; 4] = ["items", "get", "keys", "values"];
/// Filters whose result is about as long as what they are given.
const FILTERS: [&str; 15] = [
    "trim",
    "length",
    "count",
    "lower",
    "upper",
    "capitalize",
    "title",
    "first",
    "last",
    "default",
    "d",
    "string",
    "int",
    "float",
    "items",
];
/// Filters whose result may be several times as long.
const GROWING_FILTERS: [&str; 3] = ["tojson", "list", "safe"];

/// How blocks are told from the text around them; as Hugging Face's `apply_chat_template`.
pub(crate) const WHITESPACE: WhitespaceConfig =
    WhitespaceConfig { keep_trailing_newline: false, lstrip_blocks: true, trim_blocks: true };

/// Jinja's function of this name, of at most [`MOST_RANGE`] numbers.
///
/// # Errors
/// More numbers, or a step of 0.
pub(crate) fn range(lower: i64, upper: Option<i64>, step: Option<i64>) -> std::result::Result<Value, minijinja::Error> {
    let refused = |found: String| {
        let expected = format!("range: expected at most {MOST_RANGE} numbers, found {found}");
        Err(minijinja::Error::new(ErrorKind::InvalidOperation, expected))
    };
    let (start, end) = upper.map_or((0, lower), |upper| (lower, upper));
    let (start, end, step) = (i128::from(start), i128::from(end), i128::from(step.unwrap_or(1)));
    if step == 0 {
        return refused("a step of 0".to_owned());
    }
    // Rounded up, towards the side that a step of this sign goes to.
    let count = ((end - start + step - step.signum()) / step).max(0);
    if count > MOST_RANGE {
        return refused(count.to_string());
    }
    Ok(Value::make_iterable(move || (0..count).map(move |number| Value::from(start + number * step))))
}

/// Refuses a template that does not parse, or whose text can't be bounded.
///
/// # Errors
/// [`ProcessorError::Template`], [`ProcessorError::TemplateForm`] with the line.
pub(crate) fn check(source: &str) -> Result<()> {
    if source.len() as u64 > MOST_BYTES {
        return refuse(1, format!("more than {MOST_BYTES} bytes"));
    }
    check_depth(source)?;
    statement(&parse(source, "chat_template", Default::default(), WHITESPACE)?)
}

/// Refuses what would make the parser, which calls itself, run out of stack.
fn check_depth(source: &str) -> Result<()> {
    let (mut words, mut branches) = (0, 0);
    for token in tokenize(source, false, Default::default(), WHITESPACE) {
        let (token, span) = token?;
        match token {
            Token::VariableStart | Token::BlockStart => words = 0,
            Token::Ident("elif") => branches += 1,
            _ => words += 1,
        }
        if words > MOST_DEEP {
            return refuse(span.start_line, format!("an expression of more than {MOST_DEEP} words"));
        }
        if branches > MOST_DEEP {
            return refuse(span.start_line, format!("elif more than {MOST_DEEP} times"));
        }
    }
    Ok(())
}

fn refuse<T>(line: u16, found: impl Into<String>) -> Result<T> {
    Err(ProcessorError::TemplateForm { line, found: found.into() })
}

fn statements(body: &[Stmt]) -> Result<()> {
    body.iter().try_for_each(statement)
}

fn statement(stmt: &Stmt) -> Result<()> {
    match stmt {
        Stmt::Template(template) => statements(&template.children),
        Stmt::EmitRaw(_) | Stmt::Continue(_) | Stmt::Break(_) => Ok(()),
        Stmt::EmitExpr(emit) => written(&emit.expr),
        Stmt::IfCond(branch) => {
            written(&branch.expr)?;
            statements(&branch.true_body)?;
            statements(&branch.false_body)
        }
        Stmt::ForLoop(each) if each.recursive => refuse(each.span().start_line, "a recursive loop"),
        Stmt::ForLoop(each) => {
            kept(&each.iter)?;
            each.filter_expr.iter().try_for_each(written)?;
            statements(&each.body)?;
            statements(&each.else_body)
        }
        Stmt::WithBlock(with) => {
            with.assignments.iter().try_for_each(|(_, value)| kept(value))?;
            statements(&with.body)
        }
        Stmt::Set(set) => kept(&set.expr),
        Stmt::Do(does) => call(&does.call, does.span().start_line),
        Stmt::SetBlock(set) => refuse(set.span().start_line, "a block of text that is kept"),
        Stmt::FilterBlock(filter) => refuse(filter.span().start_line, "a block of text that is kept"),
        Stmt::Macro(declared) => refuse(declared.span().start_line, "a macro"),
        Stmt::CallBlock(block) => refuse(block.span().start_line, "a macro"),
        Stmt::Block(block) => refuse(block.span().start_line, "a block"),
        Stmt::Extends(extends) => refuse(extends.span().start_line, "another template"),
        Stmt::Include(include) => refuse(include.span().start_line, "another template"),
        Stmt::Import(import) => refuse(import.span().start_line, "another template"),
        Stmt::FromImport(import) => refuse(import.span().start_line, "another template"),
        Stmt::AutoEscape(escape) => refuse(escape.span().start_line, "autoescape"),
    }
}

/// An expression that is written out or decides: it may join texts.
fn written(expr: &Expr) -> Result<()> {
    let mut joins = 0;
    walk(expr, &mut |part| match part {
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Concat | BinOpKind::Add) => {
            joins += 1;
            let found = format!("an expression that joins more than {MOST_JOINS} texts");
            if joins > MOST_JOINS { refuse(op.span().start_line, found) } else { Ok(()) }
        }
        Expr::Filter(filter) if GROWING_FILTERS.contains(&filter.name) => {
            joins += MOST_JOINS / 2;
            let found = format!("an expression with too many filters {}", filter.name);
            if joins > MOST_JOINS { refuse(filter.span().start_line, found) } else { Ok(()) }
        }
        other => common(other),
    })
}

/// An expression whose value is kept: no longer than what it was made of.
fn kept(expr: &Expr) -> Result<()> {
    walk(expr, &mut |part| match part {
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Concat) => {
            refuse(op.span().start_line, "joined text that is kept (write it out where it is joined)")
        }
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Add) && !(is_number(&op.left) || is_number(&op.right)) => {
            refuse(op.span().start_line, "a sum that is kept (expected one side to be a number)")
        }
        Expr::Filter(filter) if GROWING_FILTERS.contains(&filter.name) => {
            refuse(filter.span().start_line, format!("the result of {} that is kept", filter.name))
        }
        Expr::List(list) if !list.items.iter().all(|item| matches!(item, Expr::Const(_))) => {
            refuse(list.span().start_line, "a list of variables that is kept")
        }
        Expr::Map(map) if !map.values.iter().all(|item| matches!(item, Expr::Const(_))) => {
            refuse(map.span().start_line, "a dictionary of variables that is kept")
        }
        other => common(other),
    })
}

/// What holds of every part of every expression.
fn common(part: &Expr) -> Result<()> {
    match part {
        Expr::BinOp(op) if matches!(op.op, BinOpKind::Mul | BinOpKind::Pow) => {
            refuse(op.span().start_line, "a multiplication")
        }
        Expr::Filter(filter) => known_filter(filter, filter.span().start_line),
        Expr::Call(made) => call(made, made.span().start_line),
        _ => Ok(()),
    }
}

fn known_filter(filter: &Filter, line: u16) -> Result<()> {
    if filter.expr.is_none() || !(FILTERS.contains(&filter.name) || GROWING_FILTERS.contains(&filter.name)) {
        return refuse(line, format!("the filter {}", filter.name));
    }
    filter.args.iter().try_for_each(|arg| kept(value_of(arg)))
}

fn call(call: &Call, line: u16) -> Result<()> {
    let is_known = match call.identify_call() {
        CallType::Function(name) => FUNCTIONS.contains(&name),
        CallType::Method(_, name) => METHODS.contains(&name),
        CallType::Object(_) | CallType::Block(_) => false,
    };
    if !is_known {
        return refuse(line, format!("a call of another function than {}", FUNCTIONS.join(", ")));
    }
    // What raise_exception is given ends the template, so it may be joined.
    let ends = matches!(call.identify_call(), CallType::Function("raise_exception"));
    call.args.iter().map(value_of).try_for_each(if ends { written } else { kept })
}

fn value_of<'e, 's>(arg: &'e CallArg<'s>) -> &'e Expr<'s> {
    match arg {
        CallArg::Pos(value) | CallArg::Kwarg(_, value) | CallArg::PosSplat(value) | CallArg::KwargSplat(value) => value,
    }
}

fn is_number(expr: &Expr) -> bool {
    matches!(expr, Expr::Const(constant) if constant.value.is_number())
}

/// Looks at `expr` and all its parts, but for the arguments of calls and filters, which `look` sees to.
fn walk<'s>(expr: &Expr<'s>, look: &mut dyn FnMut(&Expr<'s>) -> Result<()>) -> Result<()> {
    look(expr)?;
    match expr {
        Expr::Var(_) | Expr::Const(_) => Ok(()),
        Expr::Slice(slice) => {
            walk(&slice.expr, look)?;
            [&slice.start, &slice.stop, &slice.step].into_iter().flatten().try_for_each(|part| walk(part, look))
        }
        Expr::UnaryOp(op) => walk(&op.expr, look),
        Expr::BinOp(op) => [&op.left, &op.right].into_iter().try_for_each(|part| walk(part, look)),
        Expr::Compare(compare) => {
            walk(&compare.expr, look)?;
            compare.ops.iter().try_for_each(|op| walk(&op.expr, look))
        }
        Expr::IfExpr(choice) => {
            let parts = [&choice.test_expr, &choice.true_expr].into_iter().chain(&choice.false_expr);
            parts.into_iter().try_for_each(|part| walk(part, look))
        }
        Expr::Filter(filter) => filter.expr.iter().try_for_each(|part| walk(part, look)),
        Expr::Test(test) => {
            walk(&test.expr, look)?;
            test.args.iter().try_for_each(|arg| walk(value_of(arg), look))
        }
        Expr::GetAttr(get) => walk(&get.expr, look),
        Expr::GetItem(get) => [&get.expr, &get.subscript_expr].into_iter().try_for_each(|part| walk(part, look)),
        Expr::Call(call) => walk(&call.expr, look),
        Expr::List(list) => list.items.iter().try_for_each(|part| walk(part, look)),
        Expr::Map(map) => map.keys.iter().chain(&map.values).try_for_each(|part| walk(part, look)),
    }
}
