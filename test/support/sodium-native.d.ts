/** The few functions of sodium-native that the scripted peers use. */
declare module "sodium-native" {
  const sodium: {
    crypto_box_keypair(publicKey: Buffer, secretKey: Buffer): void;
    crypto_box_easy(box: Buffer, plain: Buffer, nonce: Buffer, publicKey: Buffer, secretKey: Buffer): void;
    crypto_box_open_easy(
      plain: Buffer,
      box: Buffer,
      nonce: Buffer,
      publicKey: Buffer,
      secretKey: Buffer,
    ): boolean;
    crypto_secretbox_easy(box: Buffer, plain: Buffer, nonce: Buffer, key: Buffer): void;
    crypto_secretbox_open_easy(plain: Buffer, box: Buffer, nonce: Buffer, key: Buffer): boolean;
    crypto_scalarmult_base(publicKey: Buffer, secretKey: Buffer): void;
    randombytes_buf(octets: Buffer): void;
  };
  export default sodium;
}
