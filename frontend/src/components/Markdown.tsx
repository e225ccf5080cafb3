import { Suspense, lazy } from "react";
import { RowsSkeleton } from "./states";
import styles from "./Markdown.module.css";

const ReactMarkdown = lazy(() => import("react-markdown"));

/** Pictures come from the site's own store only; anything else stays words. */
const isOurPicture = (src: unknown): src is string => typeof src === "string" && /^\/api\/v1\/images\/\d+\/(display|thumb|original)$/.test(src);

/** Markdown without raw HTML; the renderer drops scripts and odd addresses by itself. */
export function Markdown({ text }: { text: string }) {
  return (
    <div className={styles.prose} data-testid="markdown">
      <Suspense fallback={<RowsSkeleton rows={4} height={20} />}>
        <ReactMarkdown
          components={{
            img: ({ src, alt }) => (isOurPicture(src) ? <img src={src} alt={alt ?? ""} loading="lazy" /> : <span className="dim">{alt}</span>),
            a: ({ href, children }) => (
              <a href={href} target="_blank" rel="noreferrer noopener">
                {children}
              </a>
            ),
          }}
        >
          {text}
        </ReactMarkdown>
      </Suspense>
    </div>
  );
}
