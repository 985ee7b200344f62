package wire

// Skip passes over one value, however deep, and drops the references in it.
func (d *Decoder) Skip() error { return d.skip(max(d.refs, d.taken)) }

// skip passes over one value. References are dropped from the number keep on,
// counting all that this decoder has met; those before it are someone's already.
//
// It does not recurse, so that it also gets past what is nested too deep.
func (d *Decoder) skip(keep int) error {
	for left := 1; left > 0; left-- {
		n, err := d.skipHead(keep)
		if err != nil {
			return err
		}
		left += n
	}
	return nil
}

// skipHead passes over one value, of a container only the head, and returns how many
// values follow inside.
func (d *Decoder) skipHead(keep int) (int, error) {
	if len(d.Buf) > 0 && d.Buf[0] == byte(TagMarked) {
		return 1, d.readMarks()
	}
	t, err := d.tag()
	if err != nil {
		return 0, err
	}
	switch t {
	case TagNone, TagFalse, TagTrue:
	case TagInt8:
		_, err = d.Byte()
	case TagInt64, TagFloat:
		_, err = d.Uint64()
	case TagBigInt:
		if _, err = d.Byte(); err == nil {
			_, err = d.Raw()
		}
	case TagStr:
		_, err = d.text()
	case TagBytes:
		_, err = d.Raw()
	case TagStandard:
		k, err := d.Byte()
		if Kind(k) == KindRecord {
			return 2, err
		}
		return 1, err
	case TagKept, TagKeptStr: // whose bytes may be gone
		if _, err = d.Uint64(); err == nil {
			_, err = d.Uint64()
		}
	case TagNamed:
		_, err = d.Raw()
		return 1, err
	case TagRef:
		err = d.skipRef(keep)
	default:
		return d.skipCount(t)
	}
	return 0, err
}

func (d *Decoder) skipCount(t Tag) (int, error) {
	u, err := d.Uvarint()
	if err != nil {
		return 0, err
	}
	n, err := d.fits(u, width(t))
	return n * width(t), err
}

func (d *Decoder) skipRef(keep int) error {
	handle, err := d.Uint64()
	if err != nil {
		return err
	}
	if d.refs >= keep && d.Hooks != nil && d.Hooks.Drop != nil {
		d.Hooks.Drop(d.Scope, handle)
	}
	d.refs++
	return nil
}
