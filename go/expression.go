package stator

// Expressions are texts in DynamoDB's language: "attribute_not_exists(title) AND #y > :low". Names says what each #name stands
// for and Values each :value; every one must be used.

type expressions struct {
	condition, update, filter, projection, keyCondition string
	index                                               string
	hasIndex                                            bool
	names                                               map[string]string
	values                                              map[string]any
}

// An ExpressionOption goes with every call that takes expressions.
type ExpressionOption interface {
	WriteOption
	ReadOption
	QueryOption
}

type expressionOption func(*expressions)

func (f expressionOption) write(o *writeOptions) { f(&o.expressions) }
func (f expressionOption) read(o *readOptions)   { f(&o.expressions) }
func (f expressionOption) query(o *queryOptions) { f(&o.expressions) }

// Names says what the #names in expressions stand for: Names(map[string]string{"#y": "year"}).
func Names(names map[string]string) ExpressionOption {
	return expressionOption(func(o *expressions) { o.names = names })
}

// Values says what the :values in expressions stand for: Values(stator.Item{":low": 1970}).
func Values(values map[string]any) ExpressionOption {
	return expressionOption(func(o *expressions) { o.values = values })
}

// If writes only when the condition holds for the item that is there; else the write fails with ErrConditionFailed.
func If(condition string) WriteOption {
	return expressionOption(func(o *expressions) { o.condition = condition })
}

// Project reads only these attributes: "title, cast[0], #y".
func Project(attributes string) interface {
	ReadOption
	QueryOption
} {
	return expressionOption(func(o *expressions) { o.projection = attributes })
}

// Filter leaves out what does not meet the condition, behind PageSize and before Limit.
func Filter(condition string) QueryOption {
	return expressionOption(func(o *expressions) { o.filter = condition })
}

// KeyCondition says which keys a Query reads, instead of its partition, which must then be nil, and of Sort.
func KeyCondition(condition string) QueryOption {
	return expressionOption(func(o *expressions) { o.keyCondition = condition })
}

// FromIndex reads the index of that name instead of the table.
func FromIndex(name string) QueryOption {
	return expressionOption(func(o *expressions) { o.index, o.hasIndex = name, true })
}

func (o *expressions) encode(e *encoder) error {
	for _, text := range []struct {
		number byte
		text   string
	}{
		{fieldCondition, o.condition}, {fieldUpdate, o.update}, {fieldFilter, o.filter}, {fieldProjection, o.projection},
		{fieldKeyCondition, o.keyCondition},
	} {
		if text.text != "" {
			e.fieldBytes(text.number, []byte(text.text))
		}
	}
	if o.hasIndex {
		e.fieldBytes(fieldIndex, []byte(o.index))
	}
	if len(o.names) > 0 {
		at := e.open(fieldNames)
		inside := e.begin(tagM)
		for name, attribute := range o.names {
			e.name(name)
			if err := e.text(tagS, attribute); err != nil {
				return err
			}
		}
		e.end(inside, len(o.names))
		e.shut(at)
	}
	if len(o.values) > 0 {
		at := e.open(fieldValues)
		if err := e.itemMap(o.values, 0); err != nil {
			return err
		}
		e.shut(at)
	}
	return nil
}
