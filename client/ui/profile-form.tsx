// The form of one's own profile: the picture, the name, what one says of oneself, and who sees it.
import { useRef } from 'preact/hooks';
import { bioCharsMax, displayNameCharsMax, linksMax, type ProfilePrivacy } from '#contract';
import type { LinkFields, ProfileEditor } from '../models/profile-editor.ts';
import { profileHref } from '../models/router.ts';
import { Avatar } from './avatar.tsx';
import { Button, ButtonLink, IconButton } from './button.tsx';
import { Segment, TextArea, TextField } from './field.tsx';
import { CloseIcon } from './icons.tsx';
import { Notice } from './notice.tsx';
import './profile-form.css';

const privacyWords: Record<ProfilePrivacy, { label: string; hint: string }> = {
  public: { label: 'Everybody', hint: 'Everybody can read your profile.' },
  members: { label: 'Members', hint: 'Only who is logged in can read more than your name.' },
  followers: { label: 'Followers', hint: 'Only who follows you can read more than your name.' },
};
const privacies = Object.keys(privacyWords) as ProfilePrivacy[];

function PictureField({ editor }: { editor: ProfileEditor }) {
  const file = useRef<HTMLInputElement>(null);
  const profile = editor.value.value;
  if (!profile) return null;
  const busy = editor.busy.value === 'picture';
  return (
    <div class="row wrap profile-picture">
      <Avatar name={profile.displayName || profile.username} size={88} url={profile.avatarUrl} />
      <div class="stack">
        <div class="row wrap">
          <Button busy={busy} onClick={() => file.current?.click()} data-testid="pick-avatar">
            {profile.avatarUrl ? 'Change the picture' : 'Add a picture'}
          </Button>
          {profile.avatarUrl && (
            <Button look="ghost" onClick={editor.removePicture} data-testid="remove-avatar">
              Remove it
            </Button>
          )}
        </div>
        <p class="faint">It is cut to a square. Where it was taken is not kept.</p>
      </div>
      <input
        ref={file}
        type="file"
        hidden
        accept="image/jpeg,image/png,image/webp"
        aria-label="Picture"
        data-testid="avatar-file"
        onChange={(event) => {
          const [picked] = event.currentTarget.files ?? [];
          event.currentTarget.value = '';
          if (picked) editor.setPicture(picked);
        }}
      />
    </div>
  );
}

function LinkRow({ link, onDrop }: { link: LinkFields; onDrop: () => void }) {
  return (
    <li class="profile-link" data-testid="link-row">
      <TextField label="Title" value={link.title} maxLength={40} autocomplete="off" />
      <TextField
        label="Address"
        type="url"
        value={link.url}
        maxLength={300}
        placeholder="https://"
        autocomplete="off"
        inputMode="url"
      />
      <IconButton label="Remove this link" onClick={onDrop}>
        <CloseIcon />
      </IconButton>
    </li>
  );
}

function LinkFieldset({ editor }: { editor: ProfileEditor }) {
  const links = editor.links.value;
  return (
    <fieldset class="stack">
      <legend class="profile-legend">Links</legend>
      {links.length > 0 && (
        <ul class="stack">
          {links.map((link) => (
            <LinkRow key={link.key} link={link} onDrop={() => editor.dropLink(link.key)} />
          ))}
        </ul>
      )}
      {editor.faults.value.links && <p class="field-fault">{editor.faults.value.links}</p>}
      {links.length < linksMax && (
        <div>
          <Button size="small" onClick={editor.addLink} data-testid="add-link">
            Add a link
          </Button>
        </div>
      )}
    </fieldset>
  );
}

function PrivacyField({ editor }: { editor: ProfileEditor }) {
  const picked = editor.privacy.value;
  return (
    <div class="stack">
      <span class="profile-legend">Who sees it</span>
      <div>
        <Segment<ProfilePrivacy>
          label="Who sees your profile"
          value={picked}
          onPick={(value) => {
            editor.privacy.value = value;
          }}
          options={privacies.map((value) => ({
            value,
            label: privacyWords[value].label,
            testId: `privacy-${value}`,
          }))}
        />
      </div>
      <p class="faint">{privacyWords[picked].hint}</p>
    </div>
  );
}

export function ProfileForm({ editor }: { editor: ProfileEditor }) {
  const profile = editor.value.value;
  if (!profile) return null;
  return (
    <form
      class="card profile-form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        editor.save();
      }}
    >
      <PictureField editor={editor} />
      <TextField
        label="Name"
        hint="Shown instead of your user name. Empty for none."
        value={editor.displayName}
        maxLength={displayNameCharsMax}
        placeholder={profile.username}
        autocomplete="nickname"
        fault={editor.faults.value.displayName}
        data-testid="display-name"
      />
      <TextArea
        label="About you"
        hint={`Plain text, up to ${bioCharsMax.toLocaleString('en-IN')} letters.`}
        value={editor.bio}
        rows={5}
        maxLength={bioCharsMax}
        fault={editor.faults.value.bio}
        data-testid="bio"
      />
      <LinkFieldset editor={editor} />
      <PrivacyField editor={editor} />
      <div aria-live="polite">
        {editor.fault.value && <Notice tone="bad">{editor.fault.value}</Notice>}
        {editor.saved.value && (
          <Notice tone="good">
            <span data-testid="profile-saved">Saved.</span>
          </Notice>
        )}
      </div>
      <div class="row wrap">
        <Button
          look="primary"
          type="submit"
          busy={editor.busy.value === 'save'}
          data-testid="save-profile"
        >
          Save
        </Button>
        <ButtonLink look="ghost" href={profileHref(profile.username)} data-testid="see-profile">
          See it as others do
        </ButtonLink>
      </div>
    </form>
  );
}
