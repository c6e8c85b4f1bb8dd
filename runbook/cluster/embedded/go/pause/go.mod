module todo-runbook/pause

go 1.24.0
