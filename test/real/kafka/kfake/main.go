// A Kafka broker in memory, for tests: prints its address, ends with SIGTERM. It knows no message.timestamp.type, so the time of
// arrival is written into every batch here, as a broker does with LogAppendTime.
package main

import (
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Places in a record batch, bytes.
const (
	crcAt          = 17
	attributesAt   = 21
	maxTimestampAt = 35
	headerBytes    = 61
	logAppendTime  = 1 << 3
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func stamp(batch []byte, now int64) {
	if len(batch) < headerBytes {
		return
	}
	attributes := binary.BigEndian.Uint16(batch[attributesAt:])
	binary.BigEndian.PutUint16(batch[attributesAt:], attributes|logAppendTime)
	binary.BigEndian.PutUint64(batch[maxTimestampAt:], uint64(now))
	binary.BigEndian.PutUint32(batch[crcAt:], crc32.Checksum(batch[attributesAt:], castagnoli))
}

func main() {
	port := flag.Int("port", 0, "port on 127.0.0.1; 0 for any")
	flag.Parse()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(*port))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	begin := time.Now()
	cluster.ControlKey(int16(kmsg.Produce), func(request kmsg.Request) (kmsg.Response, error, bool) {
		cluster.KeepControl()
		// By the monotonic clock: arrival never descends.
		now := begin.UnixMilli() + time.Since(begin).Milliseconds()
		for _, topic := range request.(*kmsg.ProduceRequest).Topics {
			for _, partition := range topic.Partitions {
				stamp(partition.Records, now)
			}
		}
		return nil, nil, false
	})
	fmt.Println("listening on", cluster.ListenAddrs()[0])
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM, syscall.SIGINT)
	<-end
	cluster.Close()
}
