const CARRIED_AS_IT_IS = /^[\x21-\x24\x26-\x7e](?:[\x20-\x24\x26-\x7e]*[\x21-\x24\x26-\x7e])?$/;

/**
 * A value as a field may carry it (RFC 9110 §5.5): visible ASCII and inner spaces stay, everything else and `%` itself is
 * percent-encoded UTF-8, so that two different identities never look the same.
 */
export function fieldValue(value: string): string {
  return CARRIED_AS_IT_IS.test(value)
    ? value
    : value.replace(/[^\x21-\x24\x26-\x7e ]|^ | $/gu, (character) => {
        let encoded = '';
        for (const byte of new TextEncoder().encode(character))
          encoded += `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
        return encoded;
      });
}
