/**
 * What an agency does for each delivery: ask the recipe, try its keys, prepare, submit; and which of its persons were
 * linked.
 */
import { dirname } from 'node:path'
import { readAgenciesKey } from '../agency/agencies-key.ts'
import { askCanaries, askRecipe } from '../agency/canaries.ts'
import { fetchExtraction } from '../agency/extraction.ts'
import { prepare } from '../agency/prepare.ts'
import type { Content, PrepareReport, Progress } from '../agency/prepare-options.ts'
import { sourceDescriptionSchema } from '../agency/source-description.ts'
import { submit } from '../agency/submit.ts'
import { Refusal } from '../core/errors.ts'
import { recipeAnswerSchema } from '../core/manifest.ts'
import { reach, reachWords, withClient } from './agency-reach.ts'
import { type Arguments, type Command, type CommandContext, jsonOption } from './command.ts'
import { untrueExitCode } from './exit-codes.ts'
import { readNamedJson, requireNoFile, writeNewFile } from './files.ts'
import { type ProgressBar, progressBar } from './progress.ts'

const project = { project: { value: 'project', meaning: 'its id or name' } }
const agenciesKey = { 'agencies-key': { value: 'file', meaning: "the agencies' key, mode 0600" } }
export const agencyRecipeCommand: Command = {
  usage: '--project <project> --out <file> [options]',
  options: { ...project, out: { value: 'file', meaning: 'where the recipe goes, JSON' }, ...reach },
  examples: [`gyeol agency recipe --project kcure --out recipe.json ${reachWords}`],
  run: async (context) => {
    const { given, print } = context
    const out = given.need('out')
    requireNoFile(out)
    const recipe = await withClient(context, (client) => askRecipe(client, given.need('project')))
    writeNewFile(out, `${JSON.stringify(recipe, null, 2)}\n`)
    print(`wrote ${out}`)
    return 0
  },
}

export const agencyCanaryCommand: Command = {
  usage: '--project <project> --agencies-key <file> [options]',
  options: { ...project, ...agenciesKey, ...reach, ...jsonOption },
  examples: [`gyeol agency canary --project kcure --agencies-key agencies.key ${reachWords}`],
  run: async (context) => {
    const { given, print, printJson } = context
    const key = await readAgenciesKey(given.need('agencies-key'))
    const told = await withClient(context, (client) =>
      askCanaries(client, given.need('project'), key),
    )
    for (const { number, keyType, verdict, mistakes } of told.answers) {
      if (verdict !== 'right')
        print([`person ${number}, ${keyType}: ${verdict}`, ...mistakes].join(' '))
    }
    print(canaryAdvice(told))
    printJson(told)
    return told.isRight ? 0 : untrueExitCode
  },
}

export const agencyPrepareCommand: Command = {
  usage: '--source <file> --recipe <file> --wave <number> --out <directory> [options]',
  options: {
    source: { value: 'file', meaning: 'description of the own files, JSON beside them' },
    recipe: { value: 'file', meaning: 'what `gyeol agency recipe` wrote' },
    'agencies-key': { value: 'file', meaning: "the agencies' key, mode 0600; needed for keys" },
    wave: { value: 'number', meaning: 'which delivery of the project this is, from 1' },
    out: { value: 'directory', meaning: 'where the delivery will stand; must be empty' },
    serials: { value: 'file', meaning: 'serials.parquet of an earlier delivery: its serials stay' },
    'keys-only': { meaning: 'keys first; the tables go later, in a delivery of their own' },
    'tables-only': { meaning: 'the tables to keys that were delivered before; needs --serials' },
    only: {
      value: 'file',
      meaning:
        'of tables only: which serials, as `gyeol agency extraction` wrote them; all unless said',
    },
    'memory-mib': { value: 'number', meaning: 'what the engine may hold; 700 unless said' },
    ...jsonOption,
  },
  examples: [
    'gyeol agency prepare --source files/source.json --recipe recipe.json --agencies-key agencies.key --wave 1 --out delivery',
    'gyeol agency prepare --source files/source.json --recipe recipe.json --agencies-key agencies.key --wave 1 --keys-only --out keys',
    'gyeol agency prepare --source files/source.json --recipe recipe.json --wave 1 --tables-only --serials keys/serials.parquet --only linked.csv --out tables',
  ],
  run: async (context) => {
    const { given, print, printJson } = context
    const sourcePath = given.need('source')
    const serials = given.text('serials')
    const only = given.text('only')
    const keyPath = given.text('agencies-key')
    const memoryMiB = given.whole('memory-mib', 64, 1_048_576)
    const bars = stageBars(context)
    const startedAt = performance.now()
    const report = await prepare({
      description: readNamedJson(sourcePath, sourceDescriptionSchema),
      sourceDir: dirname(sourcePath),
      outDir: given.need('out'),
      content: contentOf(given),
      ...(keyPath === undefined ? {} : { agenciesKey: await readAgenciesKey(keyPath) }),
      recipe: readNamedJson(given.need('recipe'), recipeAnswerSchema),
      wave: given.whole('wave', 1, 999) ?? Number(given.need('wave')),
      ...(serials === undefined ? {} : { serials }),
      ...(only === undefined ? {} : { only }),
      ...(memoryMiB === undefined ? {} : { memoryMiB }),
      onProgress: bars.at,
      signal: context.stop,
    }).finally(bars.end)
    for (const line of linesOf(report)) print(line)
    const seconds = (performance.now() - startedAt) / 1000
    printJson({ ...report, seconds })
    return 0
  },
}

export const agencyExtractionCommand: Command = {
  usage: '--linkage <id> --out <file> [options]',
  options: {
    linkage: { value: 'id', meaning: 'of which linkage; the newest of --project unless said' },
    ...project,
    out: { value: 'file', meaning: 'where the list goes: CSV, the own serials that were linked' },
    ...reach,
    ...jsonOption,
  },
  examples: [
    `gyeol agency extraction --project kcure --out linked.csv ${reachWords}`,
    `gyeol agency extraction --linkage 0f7c1c9e-3f5e-4f0e-9d3a-5b8f2d1c7a10 --out linked.csv ${reachWords}`,
  ],
  run: async (context) => {
    const { given, print, printJson } = context
    const out = given.need('out')
    requireNoFile(out)
    const named = given.text('linkage')
    const wanted = named === undefined ? { project: given.need('project') } : { linkage: named }
    const linkage = await withClient(context, (client) => fetchExtraction(client, wanted, out))
    print(`wrote ${out}`)
    printJson({ linkage, out })
    return 0
  },
}

export const agencySubmitCommand: Command = {
  usage: '<directory> --project <project> [options]',
  positionals: { least: 1, most: 1 },
  options: { ...project, ...reach, ...jsonOption },
  examples: [`gyeol agency submit delivery --project kcure ${reachWords}`],
  run: async (context) => {
    const { given, print, printJson } = context
    const bar = progressBar(context, 'upload')
    const report = await withClient(context, (client) =>
      submit({
        client,
        project: given.need('project'),
        dir: given.positionals[0] ?? '',
        onProgress: ({ bytes, bytesTotal }) => bar.at(bytes, bytesTotal),
        signal: context.stop,
      }),
    ).finally(bar.end)
    print(
      `delivery ${report.delivery}: ${report.uploaded} parts sent, ${report.skipped} were there`,
    )
    printJson(report)
    return 0
  },
}

function canaryAdvice({ isRight, answers }: Awaited<ReturnType<typeof askCanaries>>): string {
  if (isRight) return 'every key is right'
  return answers.every(({ verdict }) => verdict === 'unknown')
    ? 'no key is known: is this the key that all agencies of the project have? Do not deliver yet'
    : 'some keys are not right: do not deliver yet'
}

function contentOf(given: Arguments): Content {
  const [isOfKeys, isOfTables] = [given.has('keys-only'), given.has('tables-only')]
  if (isOfKeys && isOfTables) {
    throw new Refusal('option-unknown', 'A delivery is of keys only or of tables only, not both.')
  }
  if (isOfTables) return 'tables'
  return isOfKeys ? 'keys' : 'keys and tables'
}

/** A bar for each stage and table, one after the other. */
function stageBars(context: CommandContext): { at: (progress: Progress) => void; end: () => void } {
  let label = ''
  let bar: ProgressBar | undefined
  return {
    at: ({ stage, table, bytes, bytesTotal }) => {
      const next = table ?? stage
      if (next !== label) {
        bar?.end()
        bar = progressBar(context, next)
        label = next
      }
      bar?.at(bytes, bytesTotal)
    },
    end: () => bar?.end(),
  }
}

function linesOf({ manifest, tables: reports }: PrepareReport): string[] {
  const tables = new Map<string, { parts: number; rows: number }>()
  for (const { table, rows } of manifest.parts) {
    const sum = tables.get(table) ?? { parts: 0, rows: 0 }
    tables.set(table, { parts: sum.parts + 1, rows: sum.rows + rows })
  }
  const written = [...tables].map(
    ([table, { parts, rows }]) =>
      `${table === '' ? 'keys' : table.replace('#', '')}: ${rows} rows in ${parts} parts`,
  )
  const leftOut = Object.entries(reports).flatMap(([table, { notWanted }]) =>
    notWanted === 0 ? [] : [`${table}: ${notWanted} rows of serials not on the list left out`],
  )
  return [...written, ...leftOut]
}
