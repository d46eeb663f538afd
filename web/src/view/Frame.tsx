import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

/** The page around every screen but the call itself. */
export function Frame({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div class="frame">
      <header class="masthead">
        <span class="business">{name || "Jarvis"}</span>
      </header>
      <main>{children}</main>
    </div>
  );
}

/** A screen's headline. Takes the focus when its screen replaces another, so that it is read out. */
export function Headline({ children, takesFocus = false }: { children: ComponentChildren; takesFocus?: boolean }) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    if (takesFocus) heading.current?.focus();
  }, []);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children}
    </h1>
  );
}
