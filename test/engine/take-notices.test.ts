import { createHash } from 'node:crypto'
import { test } from 'tap'
import { quoteText } from '../../src/engine/session.ts'
import { takeNotices } from '../../src/engine/take-notices.ts'
import { openScratch, refusalOf, written } from './scratch.ts'

const keyOf = (text: string): string => createHash('sha256').update(text).digest('hex')
/** A token is the first half of its key. */
const tokensOf = (keys: Uint8Array): Uint8Array =>
  Buffer.concat(
    Array.from({ length: keys.length / 32 }, (_, at) => keys.subarray(at * 32, at * 32 + 16)),
  )

test('re-keys both keys of a notice, and leaves out those that say nothing', async (t) => {
  const { session, path } = await openScratch(t)
  const [a, b, nobody] = [keyOf('a'), keyOf('b'), keyOf('nobody')]
  const lines = ['old_K1,new_K1', `${a},${b}`, `${a},${b}`, `${a},${a}`, `${nobody},${b}`, '']
  const output = path('notices.parquet')
  const taken = await takeNotices(session, {
    input: await written(path('part.csv'), lines.join('\n')),
    mediaType: 'text/csv',
    tokensOf,
    quarantine: [nobody],
    output,
  })
  t.same(taken, { rows: 4, taken: 1, refusals: {} })
  const rows = await session.rows(`
    select replace(old_t1::varchar, '-', '') as a, replace(new_t1::varchar, '-', '') as b
    from read_parquet(${quoteText(output)})`)
  t.same(rows, [{ a: a.slice(0, 32), b: b.slice(0, 32) }])
})

test('refuses notices that are not two canonical keys', async (t) => {
  const { session, path } = await openScratch(t)
  const refused = async (text: string): Promise<unknown[]> => {
    const input = await written(path('part.csv'), text)
    const part = { input, mediaType: 'text/csv', tokensOf, quarantine: [] } as const
    const refusal = await refusalOf(takeNotices(session, { ...part, output: path('out.parquet') }))
    return [refusal.code, refusal.details]
  }
  const key = keyOf('a')
  const header = 'old_K1,new_K1'
  t.same(await refused(`${header}\n${key},${key}\n${key},\n`), [
    'key-not-canonical',
    { line: 3, rows: 1 },
  ])
  t.same(await refused(`${header}\n${key.toUpperCase()},${key}\n`), [
    'key-not-canonical',
    { line: 2, rows: 1 },
  ])
  t.same(await refused(`old_K1\n${key}\n`), ['column-missing', { column: 'new_K1' }])
  t.same(await refused(`${header},serial\n${key},${key},s\n`), ['column-unknown', { columns: 3 }])
})
