import type { Category } from "@/api/types";

export interface CategoryNode {
  value: string;
  label: string;
  children?: CategoryNode[];
}

/** Categories, parents before children, as nested nodes; leaves have no `children`. */
export function categoryTree(categories: readonly Category[]): CategoryNode[] {
  const roots: CategoryNode[] = [];
  const nodes = new Map<number, CategoryNode>();
  for (const { id, name, parent } of categories) {
    const node: CategoryNode = { value: String(id), label: name };
    const above = parent === null ? undefined : nodes.get(parent);
    nodes.set(id, node);
    if (above) (above.children ??= []).push(node);
    else roots.push(node);
  }
  return roots;
}
