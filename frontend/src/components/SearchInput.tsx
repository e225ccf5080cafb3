import { TextInput } from "@mantine/core";
import { useEffect, useRef, useState } from "react";

interface Props {
  value: string;
  onSearch: (value: string) => void;
  label: string;
  testId?: string;
}

/** Searches while one types, but not in the middle of a composition. */
export function SearchInput({ value, onSearch, label, testId }: Props) {
  const [typed, setTyped] = useState(value);
  const composing = useRef(false);
  const latest = useRef(onSearch);
  useEffect(() => {
    latest.current = onSearch;
  });
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => {
      if (!composing.current) latest.current(typed);
    }, 300);
    return () => clearTimeout(timer);
  }, [typed, value]);
  return (
    <TextInput
      size="xs"
      w={240}
      value={typed}
      placeholder={label}
      aria-label={label}
      data-testid={testId}
      data-search
      rightSection={<kbd>/</kbd>}
      onCompositionStart={() => (composing.current = true)}
      onCompositionEnd={(event) => {
        composing.current = false;
        onSearch(event.currentTarget.value);
      }}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}
