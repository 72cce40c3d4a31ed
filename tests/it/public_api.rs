//! The public API, one line an item, against a snapshot: a change of the surface shows in a diff.
//!
//! After an intended change, accept the new snapshot with `cargo insta review`, or with
//! `INSTA_UPDATE=always cargo test public_api`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use quote::ToTokens;
use syn::{
    Attribute, Block, Fields, ImplItem, Item, ItemFn, ItemMacro, Signature, TraitItem, Type,
    UseTree, Visibility,
};

use crate::support::files;

/// Reads every file of the crate. The lint `unreachable_pub` ensures that an item marked `pub` can
/// be reached from outside, so its mark is enough.
#[test]
fn public_api_matches_its_snapshot() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files = modules(&root);

    let mut api = Api::default();
    for (_, file) in &files {
        api.find_types(&file.items);
    }
    for (module, file) in &files {
        api.add_items(module, &file.items);
    }
    assert!(api.lines.len() > 1_000, "{}", api.lines.len());
    insta::assert_snapshot!(api.lines.into_iter().collect::<Vec<_>>().join("\n"));
}

/// The files of the crate by module, without unit tests and the guide's text.
pub(crate) fn modules(root: &Path) -> Vec<(String, syn::File)> {
    let parse = |path: PathBuf| {
        let module = path.strip_prefix(root).unwrap().with_extension("");
        let parts: Vec<_> = module.iter().map(|part| part.to_str().unwrap()).collect();
        let is_code = path.extension().is_some_and(|it| it == "rs") && !parts.contains(&"tests");
        let module = if parts == ["lib"] { "labhook".to_owned() } else { parts.join("::") };
        is_code.then(|| (module, syn::parse_file(&fs::read_to_string(path).unwrap()).unwrap()))
    };
    files(root).into_iter().filter_map(parse).collect()
}

#[derive(Default)]
struct Api {
    /// The names of public types, whose trait impls are public.
    types: BTreeSet<String>,
    lines: BTreeSet<String>,
}

impl Api {
    fn find_types(&mut self, items: &[Item]) {
        for item in items {
            let (vis, name) = match item {
                Item::Struct(it) => (&it.vis, &it.ident),
                Item::Enum(it) => (&it.vis, &it.ident),
                _ => continue,
            };
            if is_public(vis) {
                self.types.insert(name.to_string());
            }
        }
    }

    fn add(&mut self, module: &str, text: &str) {
        self.lines.insert(format!("{module}: {}", text.trim_end()));
    }

    fn add_uses(&mut self, module: &str, path: &str, tree: &UseTree) {
        match tree {
            UseTree::Path(it) => self.add_uses(module, &format!("{path}{}::", it.ident), &it.tree),
            UseTree::Group(it) => {
                for tree in &it.items {
                    self.add_uses(module, path, tree);
                }
            }
            other => self.add(module, &text(other, &format!("pub use {path}"))),
        }
    }

    fn add_items(&mut self, module: &str, items: &[Item]) {
        for item in items {
            match item {
                Item::Mod(it) if is_public(&it.vis) => {
                    self.add(module, &format!("pub mod {}", it.ident));
                }
                Item::Use(it) if is_public(&it.vis) => self.add_uses(module, "", &it.tree),
                Item::Const(it) if is_public(&it.vis) => {
                    self.add(module, &text(&it.ty, &format!("pub const {}: ", it.ident)));
                }
                Item::Type(it) if is_public(&it.vis) => {
                    self.add(module, &text(&it.ty, &format!("pub type {} = ", it.ident)));
                }
                Item::Fn(it) if is_public(&it.vis) => self.add(module, &signature(&it.sig, "")),
                Item::Struct(it) if is_public(&it.vis) => {
                    let name = format!("{}{}", it.ident, it.generics.to_token_stream());
                    self.add(module, &format!("pub struct {name}{}", attributes(&it.attrs)));
                    self.add_fields(module, &it.ident.to_string(), &it.fields);
                }
                Item::Enum(it) if is_public(&it.vis) => {
                    let name = format!("{}{}", it.ident, it.generics.to_token_stream());
                    self.add(module, &format!("pub enum {name}{}", attributes(&it.attrs)));
                    for variant in &it.variants {
                        let fields = without_documentation(variant.fields.to_token_stream());
                        self.add(module, &format!("{}::{} {fields}", it.ident, variant.ident));
                    }
                }
                Item::Trait(it) if is_public(&it.vis) => {
                    let bounds = text(&it.supertraits, "");
                    self.add(module, &format!("pub trait {}: {bounds}", it.ident));
                    for item in &it.items {
                        if let TraitItem::Fn(method) = item {
                            let default = if method.default.is_some() { " (provided)" } else { "" };
                            let method = signature(&method.sig, &format!("{}::", it.ident));
                            self.add(module, &format!("{method}{default}"));
                        }
                    }
                }
                Item::Impl(it) => {
                    let Type::Path(path) = &*it.self_ty else { continue };
                    let name = path.path.segments.last().unwrap().ident.to_string();
                    match &it.trait_ {
                        Some((_, of, _)) if self.types.contains(&name) => {
                            let of = text(of, "");
                            self.add(module, &text(&it.self_ty, &format!("impl {of} for ")));
                        }
                        Some(_) => {}
                        None => self.add_methods(module, &name, &it.items),
                    }
                }
                Item::Macro(it) => self.add_macro(module, it),
                _ => {}
            }
        }
    }

    fn add_fields(&mut self, module: &str, name: &str, fields: &Fields) {
        for (index, field) in fields.iter().enumerate().filter(|(_, it)| is_public(&it.vis)) {
            let field_name = field.ident.as_ref().map_or(index.to_string(), ToString::to_string);
            self.add(module, &text(&field.ty, &format!("{name}.{field_name}: ")));
        }
    }

    fn add_methods(&mut self, module: &str, name: &str, items: &[ImplItem]) {
        for item in items {
            match item {
                ImplItem::Fn(it) if is_public(&it.vis) => {
                    self.add(module, &signature(&it.sig, &format!("{name}::")));
                }
                ImplItem::Const(it) if is_public(&it.vis) => {
                    self.add(module, &text(&it.ty, &format!("const {name}::{}: ", it.ident)));
                }
                _ => {}
            }
        }
    }

    /// Adds the crate's own item macros by their input, documentation left out.
    fn add_macro(&mut self, module: &str, item: &ItemMacro) {
        if item.ident.is_some() {
            return;
        }
        let input = without_documentation(item.mac.tokens.clone());
        let name = text(&item.mac.path, "");
        // `object! { pub struct .. }` and `named!(Verdict, ..)`, but not `object! { struct .. }`.
        if !input.starts_with("pub struct") && !input.starts_with("pub enum") {
            let is_private =
                ["struct", "enum", "pub (", "pub(", "$"].map(|it| input.starts_with(it));
            if !is_private.contains(&true) {
                self.add(module, &format!("{name}!({input})"));
            }
            return;
        }
        let (head, body) = input.split_once('{').unwrap();
        self.add(module, &format!("{name}! {}", head.trim()));
        let owner = head.split_whitespace().nth(2).unwrap();
        for part in body.trim_end_matches('}').split(" ,").map(str::trim) {
            if !part.is_empty() {
                self.add(module, &format!("{owner}: {part}"));
            }
        }
    }
}

const fn is_public(vis: &Visibility) -> bool {
    matches!(vis, Visibility::Public(_))
}

/// The derived traits and the attributes that a caller notices.
fn attributes(attributes: &[Attribute]) -> String {
    let mut text = String::new();
    for attribute in attributes {
        if attribute.path().is_ident("derive") || attribute.path().is_ident("serde") {
            text.push_str(&format!(" {}", self::text(&attribute.meta, "")));
        } else if attribute.path().is_ident("non_exhaustive") {
            text.push_str(" non_exhaustive");
        }
    }
    text
}

fn without_documentation(tokens: proc_macro2::TokenStream) -> String {
    fn strip(tokens: proc_macro2::TokenStream) -> proc_macro2::TokenStream {
        let mut kept = Vec::new();
        for token in tokens {
            match token {
                proc_macro2::TokenTree::Group(group) => {
                    let is_attribute = group.delimiter() == proc_macro2::Delimiter::Bracket
                        && kept
                            .last()
                            .is_some_and(|it: &proc_macro2::TokenTree| it.to_string() == "#");
                    if is_attribute {
                        kept.pop();
                    } else {
                        let inner = strip(group.stream());
                        kept.push(proc_macro2::Group::new(group.delimiter(), inner).into());
                    }
                }
                other => kept.push(other),
            }
        }
        kept.into_iter().collect()
    }
    strip(tokens).to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Formats a signature as rustfmt would, on one line.
fn signature(signature: &Signature, owner: &str) -> String {
    let function = ItemFn {
        attrs: Vec::new(),
        vis: Visibility::Inherited,
        sig: signature.clone(),
        block: Box::new(Block { brace_token: Default::default(), stmts: Vec::new() }),
    };
    let file = syn::File { shebang: None, attrs: Vec::new(), items: vec![Item::Fn(function)] };
    let text = prettyplease::unparse(&file);
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let text = text.trim_end_matches(" {}").replace("( ", "(").replace(", )", ")");
    text.replacen("fn ", &format!("fn {owner}"), 1)
}

/// Prints tokens on one line, without the blanks around punctuation.
fn text(tokens: &impl ToTokens, before: &str) -> String {
    let mut text = tokens.to_token_stream().to_string();
    let blanks = [
        (" :: ", "::"),
        (":: ", "::"),
        (" < ", "<"),
        ("< ", "<"),
        (" >", ">"),
        (" ,", ","),
        ("& ", "&"),
        (" (", "("),
        ("( ", "("),
        (" )", ")"),
        (" :", ":"),
    ];
    for (from, to) in blanks {
        text = text.replace(from, to);
    }
    format!("{before}{text}")
}
