import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import iconv from 'iconv-lite'
import { test } from 'tap'
import { decodeCp949 } from '../../src/agency/cp949.ts'
import { oneAhead, piecesOf } from '../../src/agency/readable.ts'
import { lookAt } from '../../src/agency/source-bytes.ts'

const layout = { format: 'csv', encoding: 'cp949', delimiter: ',' } as const

test('decodes every character of CP949 as iconv-lite does, and nothing else', async (t) => {
  const output = Buffer.alloc(8)
  let wrong = 0
  for (let lead = 0x80; lead <= 0xff; lead++) {
    for (let trail = 0; trail <= 0xff; trail++) {
      const pair = Buffer.from([lead, trail])
      const text = iconv.decode(pair, 'cp949')
      const isKnown = text.length === 1 && text !== '\ufffd'
      const { written, used, isValid } = decodeCp949(pair, output)
      const same = isKnown
        ? isValid && used === 2 && output.subarray(0, written).toString() === text
        : !isValid && used === 0
      if (!same) wrong++
    }
  }
  t.equal(wrong, 0)
  t.equal(
    output.subarray(0, decodeCp949(Buffer.from([0x8c, 0x63]), output).written).toString(),
    '똠',
  )
})

test('a large CP949 file comes in pieces that end with a row, even where cells hold line breaks', async (t) => {
  const workDir = t.testdir({})
  const path = join(workDir, 'a.csv')
  const row = (n: number) => `${n},"서울\n${n % 3 === 0 ? '""' : ''},대학교",똠방각하\n`
  const rows = Array.from({ length: 400_000 }, (_, n) => row(n))
  const text = `번호,이름,값\n${rows.join('')}`
  await writeFile(path, iconv.encode(text, 'cp949'))
  let whole = ''
  let pieces = 0
  const source = { name: 'a.csv', path, bytes: 1, layout }
  for await (const piece of oneAhead(piecesOf(source, { workDir, pieceBytes: 1_000_000 }))) {
    const content = await readFile(piece.path, 'utf8')
    t.equal(piece.hasHeader, pieces === 0)
    t.equal(piece.linesBefore, whole.split('\n').length - 1 + (pieces === 0 ? 1 : 0))
    t.match(content, /각하\n$/)
    t.same(piece.columns, ['번호', '이름', '값'])
    whole += content
    pieces++
    await piece.release()
  }
  t.ok(pieces > 2, `${pieces} pieces`)
  t.equal(whole, text)
})

test('checks UTF-8 over chunk borders', async (t) => {
  const path = join(t.testdir({}), 'a.csv')
  for (const shift of [0, 1, 2, 3]) {
    const border = 4 * 1024 * 1024
    const text = Buffer.concat([Buffer.alloc(border - 2 - shift, 'a\n'), Buffer.from('똠😀각\n')])
    await writeFile(path, text)
    t.same(await lookAt(path, { name: 'a.csv', encoding: 'utf-8' }), {
      bytes: text.length,
      isAscii: false,
    })
    text[border + 4] = 0xff
    await writeFile(path, text)
    await t.rejects(lookAt(path, { name: 'a.csv', encoding: 'utf-8' }), { code: 'input-malformed' })
  }
})

test('refuses exactly what is not UTF-8, at its line', async (t) => {
  const path = join(t.testdir({}), 'a.csv')
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 12 }), async (bytes) => {
      const text = Buffer.concat([Buffer.from('가,나\n다\n'), bytes])
      await writeFile(path, text)
      const isText = Buffer.from(text.toString('utf8')).equals(text) && !text.includes(0)
      const looked = await lookAt(path, { name: 'a.csv', encoding: 'utf-8' }).catch(
        (e: unknown) => e,
      )
      return isText === !(looked instanceof Error)
    }),
    { numRuns: 300 },
  )
  t.pass()
})

test('closes the source when the reader stops early or fails', async (t) => {
  let closed = 0
  async function* numbers() {
    try {
      for (let n = 0; ; n++) yield n
    } finally {
      closed++
    }
  }
  for await (const n of oneAhead(numbers())) if (n === 2) break
  t.equal(closed, 1)
  async function* failing() {
    yield 1
    throw new Error('second')
  }
  const seen: number[] = []
  await t.rejects(
    async () => {
      for await (const n of oneAhead(failing())) seen.push(n)
    },
    { message: 'second' },
  )
  t.same(seen, [1])
})
