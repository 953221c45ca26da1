import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { commonName } from '../../../../lib/authenticate/certificate/distinguished-name.ts';

describe('common name', () => {
  it.each([
    ['CN=alice', 'alice'],
    ['CN=alice,O=Example,C=DE', 'alice'],
    ['O=Example,CN=alice', 'alice'],
    ['cn=alice', 'alice'],
    ['commonName=alice', 'alice'],
    ['2.5.4.3=alice', 'alice'],
    ['CN = alice, O = Example', 'alice'],
    ['CN=alice smith', 'alice smith'],
    ['CN=alice+OU=x,O=y', 'alice'],
    ['OU=x+CN=alice', 'alice'],
    ['CN=Zoë', 'Zoë'],
    ['CN=日本', '日本'],
    ['CN=😀', '😀'],
    ['CN=Zo\\C3\\AB', 'Zoë'],
    ['CN=a\\,b', 'a,b'],
    ['CN=a\\2Cb', 'a,b'],
    ['CN=a\\+b\\"c\\\\', 'a+b"c\\'],
    ['CN=\\#a', '#a'],
    ['CN=\\ a\\ ', ' a '],
    ['CN=a  ,O=x', 'a'],
    ['O=x=y,CN=a=b', 'a=b'],
    ['O=x\\,CN=admin,CN=eve', 'eve'],
    ['O=x\\2CCN=admin,CN=eve', 'eve'],
    ['CN=', ''],
    ['1.2.3.4=#0c0161,CN=alice,2.5.4.99=#0c0162', 'alice'],
    ['CN=alice+1.2.3=#0c0161', 'alice'],
  ])('of %s is %j', (name, common) => {
    expect(commonName(name)).toBe(common);
  });

  it.each([
    ['nothing', ''],
    ['no common name', 'O=Example,C=DE'],
    ['two common names', 'CN=admin,CN=eve'],
    ['two common names under different types', 'CN=admin,2.5.4.3=eve'],
    ['two in one', 'CN=admin+CN=eve'],
    ['OpenSSL’s old form, where a value may hold a slash', '/O=x/CN=admin/CN=eve'],
    ['that form with a comma in a value', '/O=x,CN=admin/CN=eve'],
    ['a malformed type before it', 'C N=x,CN=alice'],
    ['lines, as Node writes a subject', 'CN=alice\nO=Example'],
    ['no type', '=alice'],
    ['a space in a type', 'C N=alice'],
    ['a quote', 'CN="alice"'],
    ['an unescaped semicolon', 'CN=alice;O=x'],
    ['a hexadecimal common name', 'CN=#0c05616c696365'],
    ['a malformed hexadecimal value', '1.2.3=#0,CN=alice'],
    ['text after a hexadecimal value', '1.2.3=#0c0161x,CN=alice'],
    ['an escape that escapes nothing', 'CN=a\\'],
    ['an escape of something else', 'CN=a\\zb'],
    ['invalid UTF-8', 'CN=\\FF'],
    ['a comma at the end', 'CN=alice,'],
    ['text after a comma', 'CN=alice,bob'],
  ])('cannot be read from %s', (_, name) => {
    expect(commonName(name)).toBeNull();
  });

  it('survives escaping, whatever it holds', () => {
    const escaped = (value: string) =>
      value
        .replace(/[\\ "#+,;<=>]/g, (character) => `\\${character}`)
        .replace(/\p{Cc}/gu, (character) =>
          [...Buffer.from(character)].map((byte) => `\\${byte.toString(16).padStart(2, '0')}`).join(''),
        );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (name, other) => {
        expect(commonName(`O=${escaped(other)},CN=${escaped(name)}`)).toBe(name);
      }),
      { seed: 4514 },
    );
  });

  it('never throws', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'CN=,+\\"#; aA0/\u00e9\ud83d') }),
        (text) => void commonName(text),
      ),
      { seed: 4515 },
    );
  });
});
