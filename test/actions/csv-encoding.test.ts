import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import iconv from 'iconv-lite'
import { test } from 'tap'
import { recodeToCp949 } from '../../src/actions/csv-encoding.ts'
import { temporaryDirectory } from '../support/gyeol.ts'

test('writes CSV again in CP949, across the borders of its pieces', async (t) => {
  const path = join(temporaryDirectory(t), 'a.csv')
  const text = `이름,값?\n${'똠방각하 펲시콜라,a?b\n'.repeat(60_000)}`
  writeFileSync(path, text)
  await recodeToCp949(path)
  const bytes = readFileSync(path)
  t.equal(iconv.decode(bytes, 'cp949') === text, true)
  t.equal(bytes.includes(Buffer.from([0x8c, 0x63])), true, '똠 is 8C 63')
})

test('refuses what CP949 cannot hold instead of changing it', async (t) => {
  const path = join(temporaryDirectory(t), 'a.csv')
  for (const text of ['a,😀\n', 'a,Ā?\n', 'ﬁ\n']) {
    writeFileSync(path, text)
    await t.rejects(recodeToCp949(path), { code: 'policy-refused' })
    t.equal(readFileSync(path, 'utf8'), text)
  }
})
