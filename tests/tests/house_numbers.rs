//! The house numbers of the Rust sources: sizes of files and functions, arguments, no `unwrap()` outside tests.
//!
//! Tests are what stands under `#[cfg(test)]` or `#[test]`, in a `tests/` folder or in a `tests.rs`. They count for the
//! 500 lines of a file and for nothing else. What can't be at its aim today is ratcheted: a budget may only be lowered.

use std::path::{Path, PathBuf};

use proc_macro2::{TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// Longest file, tests included.
const FILE_MAX: usize = 500;
/// Aim for a file without its tests, and how many may miss it.
const FILE_AIM: usize = 300;
const FILES_OVER_AIM: usize = 6;
/// Aim for a function, and how many may miss it.
const FUNCTION_AIM: usize = 100;
const FUNCTIONS_OVER_AIM: usize = 0;
/// 99 of 100 functions are at most this long.
const FUNCTION_P99: usize = 60;
/// Aim for arguments (with `self`), and how many functions may miss it.
const ARGUMENTS_AIM: usize = 5;
const FUNCTIONS_OVER_ARGUMENTS: usize = 4;

/// A function outside tests.
#[derive(Debug)]
struct Function {
    place: String,
    lines: usize,
    arguments: usize,
}

/// What one file holds.
#[derive(Debug, Default)]
struct Numbers {
    path: String,
    lines: usize,
    test_lines: usize,
    functions: Vec<Function>,
    unwraps: Vec<String>,
}

impl Numbers {
    /// Measures `text`; `path` is for messages, and tells whether all of it is tests.
    fn of(path: &str, text: &str) -> Self {
        let mut numbers = Self { path: path.to_owned(), lines: text.lines().count(), ..Self::default() };
        if path.split('/').any(|part| part == "tests" || part == "tests.rs") {
            numbers.test_lines = numbers.lines;
            return numbers;
        }
        numbers.visit_file(&syn::parse_file(text).unwrap_or_else(|error| panic!("{path}: {error}")));
        numbers
    }

    fn place(&self, span: proc_macro2::Span) -> String {
        format!("{}:{}", self.path, span.start().line)
    }

    fn function(&mut self, signature: &syn::Signature, whole: proc_macro2::Span) {
        let place = format!("{} {}", self.place(signature.span()), signature.ident);
        // From `fn`: docs and attributes above it are not length.
        let lines = whole.end().line + 1 - signature.span().start().line;
        self.functions.push(Function { place, lines, arguments: signature.inputs.len() });
    }

    /// `.unwrap()` in a macro's arguments, which the parser leaves as tokens.
    fn scan(&mut self, tokens: TokenStream) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        for window in tokens.windows(2) {
            if let [TokenTree::Punct(dot), TokenTree::Ident(name)] = window
                && dot.as_char() == '.'
                && name == "unwrap"
            {
                self.unwraps.push(self.place(name.span()));
            }
        }
        for token in tokens {
            if let TokenTree::Group(group) = token {
                self.scan(group.stream());
            }
        }
    }
}

/// `#[test]` or `#[cfg(test)]` (also within `all(..)`).
fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => {
            let words = list.tokens.to_string();
            list.path.is_ident("cfg") && (words == "test" || words.starts_with("all (test"))
        }
        syn::Meta::NameValue(_) => false,
    })
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Numbers {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if is_test(attributes(item)) {
            self.test_lines += item.span().end().line + 1 - item.span().start().line;
        } else {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.function(&item.sig, item.span());
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.function(&item.sig, item.span());
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        self.function(&item.sig, item.span());
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_expr_method_call(&mut self, call: &'ast syn::ExprMethodCall) {
        if call.method == "unwrap" {
            self.unwraps.push(self.place(call.method.span()));
        }
        visit::visit_expr_method_call(self, call);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        self.scan(call.tokens.clone());
    }
}

/// Every Rust source of ours, in name order.
fn sources() -> Vec<Numbers> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the workspace");
    let mut open: Vec<PathBuf> = ["msgs", "models", "nodes", "training", "tests"].map(|top| root.join(top)).into();
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("a readable folder").flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && !name.to_string_lossy().starts_with('.') && name != "target" {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let numbers = files.iter().map(|file| {
        let relative = file.strip_prefix(root).expect("below the root").display().to_string();
        Numbers::of(&relative, &std::fs::read_to_string(file).expect("UTF-8"))
    });
    let numbers: Vec<Numbers> = numbers.collect();
    assert!(numbers.len() > 100, "only {} sources found", numbers.len());
    numbers
}

/// The complaint when more than `budget` miss an aim; says when the budget can be lowered.
fn over_budget(what: &str, budget: usize, over: &[String]) -> Option<String> {
    if over.len() < budget {
        println!("{what}: {} of {budget}, lower the budget", over.len());
    }
    let complaint = || format!("{what}: {} where {budget} are allowed:\n{}", over.len(), over.join("\n"));
    (over.len() > budget).then(complaint)
}

fn ratchet(what: &str, budget: usize, over: &[String]) {
    if let Some(complaint) = over_budget(what, budget, over) {
        panic!("{complaint}");
    }
}

#[test]
fn files_are_short() {
    let files = sources();
    let too_long: Vec<String> = files.iter().filter(|file| file.lines > FILE_MAX).map(|f| f.path.clone()).collect();
    ratchet("files over 500 lines", 0, &too_long);
    let own = |file: &Numbers| file.lines - file.test_lines;
    let over = files.iter().filter(|file| own(file) > FILE_AIM);
    let over: Vec<String> = over.map(|file| format!("{} {}", file.path, own(file))).collect();
    ratchet("files over 300 lines without their tests", FILES_OVER_AIM, &over);
}

#[test]
fn functions_are_short_and_take_few_arguments() {
    let mut functions: Vec<Function> = sources().into_iter().flat_map(|file| file.functions).collect();
    functions.sort_by_key(|function| function.lines);
    let p99 = functions[(functions.len() - 1) * 99 / 100].lines;
    let over = functions.iter().filter(|function| function.lines > FUNCTION_AIM);
    let over: Vec<String> = over.map(|function| format!("{} {}", function.place, function.lines)).collect();
    ratchet("functions over 100 lines", FUNCTIONS_OVER_AIM, &over);
    assert!(p99 <= FUNCTION_P99, "99 % of functions have up to {p99} lines, the aim is {FUNCTION_P99}");
    let over = functions.iter().filter(|function| function.arguments > ARGUMENTS_AIM);
    let over: Vec<String> = over.map(|function| format!("{} {}", function.place, function.arguments)).collect();
    ratchet("functions over 5 arguments", FUNCTIONS_OVER_ARGUMENTS, &over);
    println!("{} functions, p99 {p99} lines, longest {}", functions.len(), functions[functions.len() - 1].place);
}

#[test]
fn nothing_unwraps_outside_tests() {
    let unwraps: Vec<String> = sources().into_iter().flat_map(|file| file.unwraps).collect();
    ratchet("unwrap() outside tests", 0, &unwraps);
}

#[test]
fn a_planted_file_is_measured() {
    let text = "/// Doc.\nfn long(a: u8, b: u8) {\n    Some(a).unwrap();\n    // .unwrap()\n    let _ = \".unwrap()\";\n    \
                println!(\"{}\", Some(b).unwrap());\n}\n\n#[cfg(test)]\nmod tests {\n    fn f() { Some(1).unwrap(); }\n}\n";
    let numbers = Numbers::of("models/x/src/lib.rs", text);
    assert_eq!((numbers.lines, numbers.test_lines), (12, 4));
    assert_eq!(numbers.unwraps, ["models/x/src/lib.rs:3", "models/x/src/lib.rs:6"]);
    assert_eq!(numbers.functions.len(), 1);
    assert_eq!((numbers.functions[0].lines, numbers.functions[0].arguments), (6, 2));
    assert!(Numbers::of("models/x/tests/a.rs", text).unwraps.is_empty());
    let complaint = over_budget("x", 1, &["a".into(), "b".into()]).unwrap();
    assert_eq!(complaint, "x: 2 where 1 are allowed:\na\nb");
}
