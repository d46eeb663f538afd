import { render } from "preact";
import { readPageData } from "./session";
import { App } from "./view/App";

const block = document.getElementById("jarvis-session");
const root = document.getElementById("app");
if (!block || !root) throw new Error("index.html has lost its session block or its root");

const page = readPageData(block.textContent);
if (page.name) document.title = `${page.name} – call Jarvis`;
render(<App page={page} />, root);
