package stator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"
	"testing"
)

// Every exported function and method is called in an Example; what only satisfies an interface is called by others.
func TestEveryPublicCallOccursInAnExample(t *testing.T) {
	byInterface := map[string]bool{"Error": true, "Is": true, "Unwrap": true}
	used, public := map[string]bool{}, []string{}
	files := must(os.ReadDir("."))
	for _, file := range files {
		if !strings.HasSuffix(file.Name(), ".go") {
			continue
		}
		tree := must(parser.ParseFile(token.NewFileSet(), file.Name(), nil, 0))
		for _, declaration := range tree.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			switch {
			case !ok:
			case strings.HasPrefix(function.Name.Name, "Example"):
				ast.Inspect(function, func(node ast.Node) bool {
					if selector, ok := node.(*ast.SelectorExpr); ok {
						used[selector.Sel.Name] = true
					}
					return true
				})
			case strings.HasSuffix(file.Name(), "_test.go"):
			case function.Name.IsExported() && !byInterface[function.Name.Name] && isOfPublicType(function):
				public = append(public, function.Name.Name)
			}
		}
	}
	if len(public) < 40 {
		t.Fatalf("only %d public calls found", len(public))
	}
	for _, name := range public {
		if !used[name] {
			t.Errorf("%s occurs in no Example", name)
		}
	}
}

func isOfPublicType(function *ast.FuncDecl) bool {
	if function.Recv == nil {
		return true
	}
	kind := function.Recv.List[0].Type
	if star, ok := kind.(*ast.StarExpr); ok {
		kind = star.X
	}
	name, ok := kind.(*ast.Ident)
	return ok && name.IsExported()
}
