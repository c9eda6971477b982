/**
 * Takes the trail out of the service, as an auditor, and checks what was taken before it is called
 * an export.
 */
import { open, rename } from 'node:fs/promises'
import { z } from 'zod'
import { exportTrail, type KeptLeaf } from '../core/export-trail.ts'
import { linesOf, verifyFile } from './audit-verify.ts'
import { type Command, type CommandContext, jsonOption } from './command.ts'
import { untrueExitCode } from './exit-codes.ts'
import { requireNoFile, writingRefusalOf } from './files.ts'
import { askJson, type Reach } from './https-json.ts'
import { type ProgressBar, progressBar } from './progress.ts'
import { openReach, reachOptions } from './reach.ts'

const checkpointSchema = z.object({ size: z.int(), note: z.string(), verifierKey: z.string() })
const leavesSchema = z.object({
  entries: z.array(z.object({ number: z.int(), entry: z.string(), leafHash: z.string() })),
})

export const auditExportCommand: Command = {
  usage: '--out <file> --name <name> --password-file <file> [options]',
  options: {
    out: { value: 'file', meaning: 'where the trail goes; must not be there yet' },
    ...reachOptions,
    name: { value: 'name', meaning: 'an account with the role auditor' },
    key: { value: 'verifier key', meaning: 'name+hash+key of the signer, from a source you trust' },
    ...jsonOption,
  },
  examples: ['gyeol audit export --out trail.jsonl --name cho --password-file cho.password'],
  run: exportToFile,
}

async function exportToFile(context: CommandContext): Promise<number> {
  const { given, print, printJson } = context
  const out = given.need('out')
  requireNoFile(out)
  const reach = await openReach(context)
  const newest = await askJson(
    reach,
    { method: 'GET', path: '/v1/audit/checkpoint' },
    checkpointSchema,
  )
  const unfinished = `${out}.unfinished`
  const bar = progressBar(context, 'export')
  await write(unfinished, linesFrom(reach, newest, bar))
  bar.end()
  const key = given.text('key')
  const report = await verifyFile(unfinished, key === undefined ? {} : { verifierKeys: [key] })
  await rename(unfinished, out)
  for (const line of linesOf(report)) print(line)
  const isWhole = report.verified && report.leaves === newest.size
  printJson({ file: out, isWhole, ...report })
  return isWhole ? 0 : untrueExitCode // What does not hold is evidence, so it is kept.
}

/** The whole trail: then no leaf is left out whose place a hash would have to take. */
function linesFrom(
  reach: Reach,
  newest: z.infer<typeof checkpointSchema>,
  bar: ProgressBar,
): AsyncGenerator<string> {
  const source = {
    origin: newest.note.slice(0, newest.note.indexOf('\n')),
    verifierKeys: [newest.verifierKey],
    newest,
    hashesOf: () => Promise.reject(new Error('a whole trail needs no hashes of others')),
    checkpointsOf: async () => [],
    leavesOf: async (start: number, end: number): Promise<KeptLeaf[]> => {
      const path = `/v1/audit/entries?after=${start - 1}&limit=${end - start}`
      const { entries } = await askJson(reach, { method: 'GET', path }, leavesSchema)
      bar.at(end, newest.size)
      return entries.map(({ number, entry, leafHash }) => ({
        number,
        entry: Buffer.from(entry, 'utf8'),
        leafHash: Buffer.from(leafHash, 'hex'),
      }))
    },
  }
  return exportTrail(source, { from: 0, to: newest.size })
}

async function write(path: string, lines: AsyncIterable<string>): Promise<void> {
  try {
    await using file = await open(path, 'w', 0o600)
    for await (const line of lines) await file.write(`${line}\n`)
    await file.sync()
  } catch (error) {
    throw writingRefusalOf(error)
  }
}
