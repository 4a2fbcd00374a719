// How to send from an encoder: what OBS asks for, where its answers lie, and which settings suit live pictures.
import { type IngestProtocol, type IngestServers, ingestProtocols } from '#contract';
import { CopyButton } from './copy-button.tsx';
import './encoder-guide.css';

/** The API is where the page is. */
const whipAddress = () => new URL('/v1/whip', location.origin).href;

function Address({ name, label, text }: { name: string; label: string; text: string }) {
  return (
    <div class="encoder-address">
      <div class="encoder-address-head">
        <span class="studio-label">{label}</span>
        <CopyButton text={text} told="Copied." data-testid={`${name}-address-copy`}>
          Copy the address
        </CopyButton>
      </div>
      <output class="encoder-address-text" data-testid={`${name}-address`}>
        {text}
      </output>
    </div>
  );
}

/** Where encoders send to by each of these protocols, as far as anybody listens for them. */
export function EncoderAddresses({
  servers,
  protocols,
}: {
  servers: IngestServers | undefined;
  protocols: readonly IngestProtocol[];
}) {
  const rtmp = protocols.includes('rtmp') && servers?.rtmp;
  const srt = protocols.includes('srt') && servers?.srt;
  return (
    <>
      {protocols.includes('whip') && (
        <Address name="whip" label="WHIP server" text={whipAddress()} />
      )}
      {rtmp && <Address name="rtmp" label="RTMP server; the stream key is your key" text={rtmp} />}
      {srt && <Address name="srt" label="SRT server, with your key behind it" text={srt} />}
    </>
  );
}

export function EncoderGuide({ servers }: { servers: IngestServers | undefined }) {
  return (
    <details class="encoder-guide" data-testid="encoder-guide">
      <summary>How to send from OBS</summary>
      <div class="stack">
        <ol>
          <li>
            Set the stream up above: a title, and under <b>Tags, language, start</b> when it begins.
            Press <b>Announce it for later</b>; it starts by itself when OBS does.
          </li>
          <li>
            In OBS 30 or later open <b>Settings › Stream</b> and choose the service <b>WHIP</b>. The
            server is the address below, the bearer token your stream key. For RTMP or SRT choose{' '}
            <b>Custom</b> and the address of that.
          </li>
          <li>
            Under <b>Settings › Output</b> choose an H.264 encoder: profile <b>baseline</b>,
            keyframe interval <b>1 s</b>, <b>no B-frames</b>, constant bitrate. 2,500 to 6,000
            kbit/s are right for 720p and 1080p.
          </li>
          <li>
            <b>Start Streaming.</b> Viewers see you within seconds, and this page shows what goes
            out, with chat and tips. End the stream here, or stop in OBS, and it ends half a minute
            later.
          </li>
        </ol>
        <EncoderAddresses servers={servers} protocols={ingestProtocols} />
      </div>
    </details>
  );
}
