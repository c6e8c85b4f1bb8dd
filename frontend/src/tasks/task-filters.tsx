"use client";

import { type RefObject, useEffect, useState } from "react";

import { Icon } from "@/ui/icon";

import type { Priority } from "./task";
import { LONGEST_SEARCH, type Sort, STATUSES, type TaskQuery } from "./task-query";

/** After the last key, so that a word is searched for once and not letter by letter. */
const SEARCH_AFTER_MS = 250;

const SORT_LABELS = [
  ["created", "Newest first"],
  ["due", "Due first"],
  ["priority", "Urgent first"],
  ["title", "By title"],
] as const satisfies readonly (readonly [Sort, string])[];

const PRIORITY_LABELS = [
  ["any", "Any priority"],
  ["high", "High"],
  ["medium", "Medium"],
  ["low", "Low"],
] as const satisfies readonly (readonly [Priority | "any", string])[];

type Properties = { query: TaskQuery; onChange: (query: TaskQuery) => void; searchField: RefObject<HTMLInputElement | null> };

/** What of the list is shown, and in which order. */
export function TaskFilters({ query, onChange, searchField }: Properties) {
  return (
    <div role="search" aria-label="Tasks" className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
      <div className="flex flex-1 flex-wrap gap-2 max-sm:basis-full">
        <Search given={query.search} field={searchField} onSearch={(search) => onChange({ ...query, search })} />
        <Choice
          label="Priority"
          value={query.priority}
          options={PRIORITY_LABELS}
          onChange={(priority) => onChange({ ...query, priority })}
        />
        <Choice label="Order" value={query.sort} options={SORT_LABELS} onChange={(sort) => onChange({ ...query, sort })} />
      </div>
      <div role="group" aria-label="Filter" className="flex basis-full gap-x-5 max-sm:justify-between">
        {STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            aria-pressed={query.status === status}
            onClick={() => onChange({ ...query, status })}
            className="border-b-2 border-transparent py-1 text-muted capitalize hover:text-ink aria-pressed:border-accent aria-pressed:font-semibold aria-pressed:text-ink"
          >
            {status}
          </button>
        ))}
      </div>
    </div>
  );
}

type SearchProperties = { given: string; field: RefObject<HTMLInputElement | null>; onSearch: (text: string) => void };

function Search({ given, field, onSearch }: SearchProperties) {
  const [text, setText] = useState(given);

  useEffect(() => {
    if (text.trim() === given) return;
    const timer = setTimeout(() => onSearch(text.trim()), SEARCH_AFTER_MS);
    return () => clearTimeout(timer);
  }, [text, given, onSearch]);

  return (
    <div className="relative min-w-48 flex-1 max-sm:basis-full">
      <Icon name="search" className="pointer-events-none absolute top-1/2 left-3 size-4.5 -translate-y-1/2 text-muted" />
      <input
        ref={field}
        type="search"
        aria-label="Search tasks"
        placeholder="Search titles and descriptions"
        value={text}
        maxLength={LONGEST_SEARCH}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== "Escape") return;
          if (text === "") event.currentTarget.blur();
          setText("");
        }}
        className="field peer border-line py-1.5 pr-10 pl-9.5"
      />
      <kbd aria-hidden="true" className="kbd absolute top-1/2 right-3 -translate-y-1/2 peer-focus:hidden max-sm:hidden">
        /
      </kbd>
    </div>
  );
}

type ChoiceProperties<Value extends string> = {
  label: string;
  value: Value;
  options: readonly (readonly [Value, string])[];
  onChange: (value: Value) => void;
};

function Choice<Value extends string>({ label, value, options, onChange }: ChoiceProperties<Value>) {
  return (
    <select
      aria-label={label}
      value={value}
      onChange={(event) => {
        const chosen = options.find(([option]) => option === event.target.value);
        if (chosen) onChange(chosen[0]);
      }}
      className="min-h-9.5 rounded-lg border border-line bg-surface px-2 text-ink max-sm:min-w-0 max-sm:flex-1"
    >
      {options.map(([option, text]) => (
        <option key={option} value={option}>
          {text}
        </option>
      ))}
    </select>
  );
}
