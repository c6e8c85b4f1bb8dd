"use client";

import { type InputHTMLAttributes, useId } from "react";

type Properties = InputHTMLAttributes<HTMLInputElement> & {
  label: string;
  error?: string | undefined;
  /** With rows, the field takes several lines. */
  rows?: number;
};

/** A labelled field whose error is tied to it for screen readers. */
export function TextField({ label, error, rows, ...input }: Properties) {
  const id = useId();
  const properties = {
    id,
    className: "field",
    "aria-invalid": error !== undefined,
    "aria-describedby": error === undefined ? undefined : `${id}-error`,
  };
  return (
    <div>
      <label htmlFor={id} className="mb-1.5 block font-medium">
        {label}
      </label>
      {rows === undefined ? (
        <input {...input} {...properties} />
      ) : (
        <textarea {...properties} name={input.name} rows={rows} required={input.required} maxLength={input.maxLength} />
      )}
      {error !== undefined && (
        <p id={`${id}-error`} className="mt-1.5 text-sm text-danger">
          {error}
        </p>
      )}
    </div>
  );
}
