import { test } from 'tap'
import { Refusal } from '../../src/core/errors.ts'
import { isOutage, Outage } from '../../src/core/outage.ts'

const withCode = (code: string): Error => Object.assign(new Error('told by a driver'), { code })

test('an outage is told from a mistake and from a refusal', async (t) => {
  for (const code of [
    'ECONNREFUSED',
    'ENOSPC',
    'EROFS',
    'EACCES',
    'EIO',
    '53100',
    '57P01',
    '58030',
  ]) {
    t.ok(isOutage(withCode(code)), code)
  }
  t.ok(isOutage(new Outage('away')))
  t.ok(isOutage(new Error('Connection terminated unexpectedly')))
  t.ok(isOutage(new Refusal('disk-full', 'Full.')))
  t.ok(isOutage(new Refusal('keyring-refused', 'Readable by others.')))
  for (const code of ['23505', '42501', 'ENOENT', 'ERR_INVALID_ARG_TYPE']) {
    t.notOk(isOutage(withCode(code)), code)
  }
  t.notOk(isOutage(new Refusal('sealed-object-damaged', 'Damaged.')))
  t.notOk(isOutage(new TypeError('a mistake')))
  t.notOk(isOutage('a text'))
})
