"""Routes of tasks. Each statement filters by the user, so another user's task is as absent as none."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, HTTPException, Query
from sqlalchemy.dialects.postgresql import insert
from sqlmodel import col, delete, select, update
from sqlmodel.ext.asyncio.session import AsyncSession

from todo_backend.answers import NOT_FOUND, SIGNED_IN
from todo_backend.auth.dependency import TimeZone, UnitOfWork, User
from todo_backend.day import begin_of_day
from todo_backend.models import Task
from todo_backend.tasks.listing import TaskQuery, find
from todo_backend.tasks.once import Key, first_time, id_of
from todo_backend.tasks.schemas import NewTask, TaskChanges, TaskDeleted, TaskList, TaskOut

router = APIRouter(prefix="/api/{user_id}/tasks", tags=["tasks"], responses=SIGNED_IN)

_NOT_FOUND = "There is no such task."


@router.get("")
async def list_tasks(
    user: User, work: UnitOfWork, zone: TimeZone, query: Annotated[TaskQuery, Query()]
) -> TaskList:
    """A page of the tasks, newest first unless asked otherwise, and their numbers."""
    tasks, counts = await find(work, user, query, begin_of_day(datetime.now(UTC), zone))
    return TaskList(tasks=[TaskOut.model_validate(task) for task in tasks], **counts.model_dump())


@router.post("", status_code=201)
async def create_task(user: User, work: UnitOfWork, new: NewTask, key: Key = None) -> TaskOut:
    """Create a task."""
    task_id = id_of(user, key)
    made = insert(Task).values(id=task_id, user_id=user, **new.model_dump())
    await work.exec(made.on_conflict_do_nothing(index_elements=["id"]))
    await work.commit()
    return await read_task(user, work, task_id)


@router.get("/{task_id}", responses=NOT_FOUND)
async def read_task(user: User, work: UnitOfWork, task_id: UUID) -> TaskOut:
    """One task."""
    found = await work.exec(select(Task).where(Task.id == task_id, Task.user_id == user))
    if (task := found.one_or_none()) is None:
        raise HTTPException(404, _NOT_FOUND)
    return TaskOut.model_validate(task)


@router.put("/{task_id}", responses=NOT_FOUND)
async def update_task(user: User, work: UnitOfWork, task_id: UUID, changes: TaskChanges) -> TaskOut:
    """Change the given fields."""
    return await _change(work, user, task_id, changes.model_dump(exclude_unset=True))


@router.patch("/{task_id}/complete", responses=NOT_FOUND)
async def toggle_completion(user: User, work: UnitOfWork, task_id: UUID, key: Key = None) -> TaskOut:
    """Complete the task, or reopen it."""
    if not await first_time(work, user, key):
        return await read_task(user, work, task_id)
    return await _change(work, user, task_id, {"is_completed": ~col(Task.is_completed)})


@router.delete("/{task_id}", responses=NOT_FOUND)
async def delete_task(user: User, work: UnitOfWork, task_id: UUID, key: Key = None) -> TaskDeleted:
    """Delete the task for good."""
    if not await first_time(work, user, key):
        return TaskDeleted(message="Task deleted", id=task_id)
    done = await work.exec(
        delete(Task).where(col(Task.id) == task_id, col(Task.user_id) == user).returning(col(Task.id))
    )
    if done.scalar_one_or_none() is None:
        raise HTTPException(404, _NOT_FOUND)
    await work.commit()
    return TaskDeleted(message="Task deleted", id=task_id)


async def _change(work: AsyncSession, user: str, task_id: UUID, values: dict[str, Any]) -> TaskOut:
    done = await work.exec(
        update(Task)
        .where(col(Task.id) == task_id, col(Task.user_id) == user)
        .values(**values)
        .returning(Task)
    )
    if (task := done.scalar_one_or_none()) is None:
        raise HTTPException(404, _NOT_FOUND)
    await work.commit()
    return TaskOut.model_validate(task)
