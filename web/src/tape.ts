/** Draws a call as a strip of tape: Jarvis above the line, the caller below it, now at the right edge. */

import type { Levels } from "./levels";

const STEP_MS = 60;
const PITCH_PX = 5;
const BAR_PX = 2;
const HALF_GAP_PX = 3;

interface Column {
  bot: number;
  user: number;
}

interface Ink {
  bot: string;
  user: string;
  rule: string;
}

/** Draws until the returned function is called. */
export function runTape(canvas: HTMLCanvasElement, levels: Levels): () => void {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let columns: Column[] = [];
  let lastStepMs = 0;
  let frame = requestAnimationFrame(draw);

  function draw(nowMs: number): void {
    frame = requestAnimationFrame(draw);
    if (nowMs - lastStepMs < (still.matches ? STEP_MS * 5 : STEP_MS)) return;
    lastStepMs = nowMs;
    const { width, height } = fitted(canvas);
    const columnCount = Math.ceil(width / PITCH_PX);
    columns = [...columns, { bot: levels.read("bot"), user: levels.read("user") }].slice(-columnCount);
    const context = canvas.getContext("2d");
    if (!context) return;
    const shown = still.matches ? meter(columns.at(-1), columnCount) : columns;
    drawColumns(context, shown, { width, height, ink: inkOf(canvas) });
  }

  return () => cancelAnimationFrame(frame);
}

/** Sizes the canvas to its box and the screen's pixels; the size returned is in CSS pixels. */
function fitted(canvas: HTMLCanvasElement): { width: number; height: number } {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = window.devicePixelRatio;
  if (canvas.width !== Math.round(width * scale) || canvas.height !== Math.round(height * scale)) {
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
  }
  canvas.getContext("2d")?.setTransform(scale, 0, 0, scale, 0, 0);
  return { width, height };
}

/** Where nothing may move, a level is how far a row of bars reaches. */
function meter(level: Column | undefined, columnCount: number): Column[] {
  const reach = (loudness: number, index: number) => (index < loudness * columnCount ? 0.35 : 0);
  return Array.from({ length: columnCount }, (_, index) => ({
    bot: reach(level?.bot ?? 0, index),
    user: reach(level?.user ?? 0, index),
  }));
}

function drawColumns(
  context: CanvasRenderingContext2D,
  columns: Column[],
  { width, height, ink }: { width: number; height: number; ink: Ink },
): void {
  const middle = height / 2;
  const reach = middle - HALF_GAP_PX - BAR_PX;
  context.clearRect(0, 0, width, height);
  context.fillStyle = ink.rule;
  context.fillRect(0, middle - 0.5, width, 1);
  context.lineWidth = BAR_PX;
  context.lineCap = "round";
  columns.forEach(({ bot, user }, index) => {
    const x = width - (columns.length - index) * PITCH_PX + PITCH_PX / 2;
    bar(context, x, middle - HALF_GAP_PX, -bot * reach, ink.bot);
    bar(context, x, middle + HALF_GAP_PX, user * reach, ink.user);
  });
}

function bar(context: CanvasRenderingContext2D, x: number, y: number, length: number, colour: string): void {
  if (Math.abs(length) < 1) return;
  context.strokeStyle = colour;
  context.beginPath();
  context.moveTo(x, y + Math.sign(length));
  context.lineTo(x, y + length);
  context.stroke();
}

function inkOf(canvas: HTMLCanvasElement): Ink {
  const style = getComputedStyle(canvas);
  const colour = (name: string) => style.getPropertyValue(name);
  return { bot: colour("--bot"), user: colour("--caller"), rule: colour("--rule") };
}
