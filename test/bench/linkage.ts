/**
 * All passes of a linkage over generated tokens: five agencies, three keys (K1, K2, K4), a tenth of the persons unknown to
 * the spine, and a little of every dirt. Tokens are made first, in a process of their own, and are not part of the figures.
 * Before and after, in the same run, the limit (linkage-limit.ts) over the same tokens.
 */
import { spawnSync } from 'node:child_process'
import { createSecretKey } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { macColumn } from '../../src/core/mac.ts'
import { linkRulesSchema } from '../../src/core/passes.ts'
import { linkPersons } from '../../src/engine/link.ts'
import type { LinkDelivery } from '../../src/engine/linkage/agencies.ts'
import { openSession, quoteText } from '../../src/engine/session.ts'
import { sortedOptions } from '../../src/engine/sorted-files.ts'
import { besideLimit, type Limit, meanOf, rounded, runLimit } from './beside-limit.ts'

const agencies = ['registry', 'insurer', 'claims', 'statistics', 'vaccinations'] as const
const keyTypes = ['K1', 'K2', 'K4']
const memoryMiB = 2_500
const threads = 2

/** Links `persons` persons at each of five agencies. */
export async function benchLinkage(options: {
  persons: number
  tell: (text: string) => void
}): Promise<Record<string, unknown>> {
  const { persons, tell } = options
  const home = mkdtempSync(join(tmpdir(), 'gyeol-bench-linkage-'))
  try {
    tell(`tokens of ${agencies.length} × ${persons} serials`)
    const made = spawnSync(process.execPath, [fileURLToPath(import.meta.url), home, `${persons}`], {
      stdio: ['ignore', 'inherit', 'inherit'],
    })
    if (made.status !== 0) throw new Error('the tokens were not made')
    const link = (count: number): Promise<Figures> => {
      tell(`linking ${agencies.length} × ${count} serials`)
      return linked(home, count)
    }
    const limitOf = (): Limit => {
      const files = agencies.map((agency) => fileOf(home, agency, persons))
      const limit = runLimit('linkage-limit.ts', [join(home, 'limit'), ...files])
      tell(`limit ${limit.seconds.toFixed(1)} s`)
      return limit
    }
    const half = await link(Math.round(persons / 2))
    const before = limitOf()
    const whole = await link(persons)
    const limit = meanOf([before, limitOf()])
    const cpuRatioOfTwiceThePersons = rounded(whole.cpuSeconds / half.cpuSeconds)
    return { half, whole: besideLimit(whole, limit), cpuRatioOfTwiceThePersons, threads, memoryMiB }
  } finally {
    rmSync(home, { recursive: true, force: true })
  }
}

type Figures = {
  /** Until every record of every agency has its place. */
  passesSeconds: number
  /** With all files, cases and the report. */
  seconds: number
  cpuSeconds: number
  peakMiB: number
  persons: number
  linked: number
}

async function linked(home: string, persons: number): Promise<Figures> {
  const outDir = join(home, `linked-${persons}`)
  mkdirSync(outDir)
  const personKey = createSecretKey(Buffer.alloc(32, 9))
  const session = await openSession({ scratchDir: home, memoryMiB, threads })
  const before = process.cpuUsage()
  const began = performance.now()
  let passesSeconds = 0
  try {
    const deliveries = agencies.map(
      (agency, index): LinkDelivery => ({
        deliveryId: agency,
        agency,
        wave: 1,
        isSpine: index === 0,
        isDuplicateFree: index === 0,
        keyTypes,
        files: [fileOf(home, agency, persons)],
        noticeFiles: [],
      }),
    )
    const result = await linkPersons(session, {
      deliveries,
      rules: linkRulesSchema.parse({}),
      personsOf: (tokens) => macColumn('cmac-aes-256', personKey, tokens, 16),
      outDir,
      onProgress: ({ placed }) => {
        if (placed === agencies.length) passesSeconds = secondsSince(began)
      },
    })
    const { user, system } = process.cpuUsage(before)
    const maps = Object.values(result.maps)
    return {
      passesSeconds,
      seconds: secondsSince(began),
      cpuSeconds: rounded((user + system) / 1e6),
      peakMiB: Math.round(
        Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) / 1024,
      ),
      persons: result.persons,
      linked: maps.reduce((sum, map) => sum + map.linked, 0),
    }
  } finally {
    session.close()
    rmSync(outDir, { recursive: true })
  }
}

function secondsSince(began: number): number {
  return rounded((performance.now() - began) / 1000)
}

function fileOf(home: string, agency: string, persons: number): string {
  return join(home, `${agency}-${persons}.parquet`)
}

/** Writes the tokens: an agency knows each person with a chance, and now and then gets a key wrong. */
async function makeTokens(home: string, persons: number): Promise<void> {
  const session = await openSession({ scratchDir: home, memoryMiB: 1_000, threads })
  const token = (kind: string, of: string): string => `md5(${quoteText(kind)} || (${of}))::uuid`
  for (const count of [persons / 2, persons].map(Math.round)) {
    for (const [index, agency] of agencies.entries()) {
      const first = index === 0 ? 0 : Math.round(count / 10)
      await session.run(`
        copy (
          select lower(left(md5(${quoteText(agency)} || i), 26)) as serial,
            case when dice % 300 = 0 then null
              when dice % 500 = 1 then ${token('typo', `i || ${quoteText(agency)}`)}
              when dice % 1000 = 2 then ${token('K1', 'i + 1')}
              else ${token('K1', 'i')} end as t1,
            case when dice % 100 = 3 then ${token('name', `i || ${quoteText(agency)}`)}
              when i % 10000 = 0 then ${token('namesake', 'i // 20000')}
              else ${token('K2', 'i')} end as t2,
            null::uuid as t3,
            case when dice % 400 = 4 then null else ${token('K4', 'hash(i) % 70000')} end as t4,
            null::uuid as t5
          from (select i, hash(i * 7 + ${index}) as dice from range(${first}, ${first + count}) as r(i))
          order by serial
        ) to ${quoteText(fileOf(home, agency, count))} (${sortedOptions})`)
    }
  }
  session.close()
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await makeTokens(process.argv[2] ?? '', Number(process.argv[3]))
}
