module github.com/statordb/stator

go 1.23
